/** Keeps the lease of one attempt, and says at once when it is lost or the job was canceled. */
import { type StopReason } from '#lib/execution';

/** What the database says of the attempt and its job. */
export type Renewal = 'held' | 'lost' | 'canceled';

export interface LeaseOptions {
  readonly leaseMs: number;
  readonly renew: () => Promise<Renewal>;
  /** Told at every renewal once the job is canceled. */
  readonly onEnd: (reason: Extract<StopReason, 'lease-lost' | 'canceled'>) => void;
  readonly now?: () => number;
}

/** Renewed six times before it runs out. */
const RENEWALS_PER_LEASE = 6;

export class Lease {
  readonly #timer: NodeJS.Timeout;
  #renewedAt: number;
  #renewing = false;
  #ended = false;

  constructor(private readonly options: LeaseOptions) {
    this.#renewedAt = this.#now();
    this.#timer = setInterval(() => void this.#renew(), options.leaseMs / RENEWALS_PER_LEASE);
  }

  /** Nothing is renewed or told after this. */
  end(): void {
    this.#ended = true;
    clearInterval(this.#timer);
  }

  async #renew(): Promise<void> {
    // Without an answer from the database the lease has run out by this clock, started before the last renewal was sent.
    if (this.#now() - this.#renewedAt > this.options.leaseMs) return this.#tell('lease-lost');
    if (this.#renewing) return;
    this.#renewing = true;
    const sentAt = this.#now();
    try {
      const renewal = await this.options.renew();
      if (renewal === 'lost') return this.#tell('lease-lost');
      this.#renewedAt = sentAt;
      // The lease is kept while the payload is being stopped.
      if (renewal === 'canceled') this.options.onEnd('canceled');
    } catch {
      // Tried again at the next tick, until the lease has run out.
    } finally {
      this.#renewing = false;
    }
  }

  #tell(reason: 'lease-lost'): void {
    if (this.#ended) return;
    this.end();
    this.options.onEnd(reason);
  }

  #now(): number {
    return (this.options.now ?? (() => performance.now()))();
  }
}
