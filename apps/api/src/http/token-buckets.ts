/** Token buckets by name: each holds a minute's worth of requests at most and fills up evenly. */

export interface Taken {
  readonly allowed: boolean;
  /** Whole requests that the bucket still holds. */
  readonly remaining: number;
  /** Seconds, rounded up, until there is one request; 0 where there is. */
  readonly retryAfterS: number;
  /** Seconds, rounded up, until the bucket is full. */
  readonly fullAfterS: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export class TokenBuckets {
  /** Least recently used first. */
  readonly #buckets = new Map<string, Bucket>();

  /** `most`: buckets that are remembered; the one that was used longest ago is forgotten first, that is, full again. */
  constructor(
    readonly perMinute: number,
    private readonly most = 10_000,
  ) {}

  /** What `take` would say, without taking. `nowMs` never goes backwards. */
  look(name: string, nowMs: number): Taken {
    return this.#answer(this.#levelAt(name, nowMs));
  }

  /** Takes one request where there is one. */
  take(name: string, nowMs: number): Taken {
    const tokens = this.#levelAt(name, nowMs);
    const allowed = tokens >= 1;
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: allowed ? tokens - 1 : tokens, atMs: nowMs });
    if (this.#buckets.size > this.most) this.#forgetOldest();
    return allowed ? { ...this.#answer(tokens - 1), allowed, retryAfterS: 0 } : this.#answer(tokens);
  }

  #levelAt(name: string, nowMs: number): number {
    const bucket = this.#buckets.get(name);
    if (!bucket) return this.perMinute;
    return Math.min(this.perMinute, bucket.tokens + ((nowMs - bucket.atMs) * this.perMinute) / 60_000);
  }

  #answer(tokens: number): Taken {
    const seconds = (missing: number) => Math.max(0, Math.ceil((missing * 60) / this.perMinute));
    return {
      allowed: tokens >= 1,
      remaining: Math.floor(tokens),
      retryAfterS: seconds(1 - tokens),
      fullAfterS: seconds(this.perMinute - tokens),
    };
  }

  #forgetOldest(): void {
    for (const name of this.#buckets.keys()) {
      this.#buckets.delete(name);
      return;
    }
  }
}
