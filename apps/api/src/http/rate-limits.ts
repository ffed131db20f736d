/** How often a key, a tenant, and an address with wrong keys or for open files may ask; told in the headers of draft-ietf-httpapi-ratelimit-headers. */
import { type ApiConfig } from '#lib/config';
import { type AnyCaller } from '../auth/caller.js';
import { PorinError } from '../errors/porin-error.js';
import { type Taken, TokenBuckets } from './token-buckets.js';

export interface RateDecision {
  /** RateLimit-Policy and RateLimit, for every answer to the caller. */
  readonly headers: Readonly<Record<string, string>>;
  readonly refusal: PorinError | null;
}

/** Of one process: several APIs beside one another each count for themselves, and nothing of it needs Redis. */
export class RateLimits {
  readonly #byKey: TokenBuckets;
  readonly #byTenant: TokenBuckets;
  readonly #wrongKeys: TokenBuckets;
  readonly #openFiles: TokenBuckets;

  constructor(config: ApiConfig) {
    this.#byKey = new TokenBuckets(config.PORIN_RATE_LIMIT_PER_MINUTE);
    this.#byTenant = new TokenBuckets(config.PORIN_TENANT_RATE_LIMIT_PER_MINUTE);
    this.#wrongKeys = new TokenBuckets(config.PORIN_WRONG_KEY_LIMIT_PER_MINUTE);
    this.#openFiles = new TokenBuckets(config.PORIN_OPEN_FILES_LIMIT_PER_MINUTE);
  }

  /** Takes one request of the key and of its tenant, or of neither. */
  take({ keyId, tenant }: AnyCaller, nowMs = performance.now()): RateDecision {
    const buckets = [
      { name: 'key', buckets: this.#byKey, of: keyId },
      // Operators together are as one; no tenant's name is empty.
      { name: 'tenant', buckets: this.#byTenant, of: tenant ?? '' },
    ].map((each) => ({ ...each, looked: each.buckets.look(each.of, nowMs) }));
    const empty = buckets.filter(({ looked }) => !looked.allowed);
    const taken = buckets.map((each) => (empty.length > 0 ? each.looked : each.buckets.take(each.of, nowMs)));
    const headers = {
      'RateLimit-Policy': buckets.map(({ name, buckets: { perMinute } }) => `"${name}";q=${perMinute};w=60`).join(', '),
      RateLimit: buckets.map(({ name }, index) => `"${name}";${levelOf(taken[index])}`).join(', '),
    };
    const retryAfterS = Math.max(0, ...empty.map(({ looked }) => looked.retryAfterS));
    const names = empty.map(({ name }) => name).join(' and this ');
    return { headers, refusal: empty.length === 0 ? null : tooMany(`This ${names} asks too often.`, retryAfterS) };
  }

  /** Throws too-many-requests where the network has sent too many wrong keys; takes nothing. */
  requireFewWrongKeys(network: string, nowMs = performance.now()): void {
    const { allowed, retryAfterS } = this.#wrongKeys.look(network, nowMs);
    if (!allowed) throw tooMany('Too many wrong keys came from this address.', retryAfterS);
  }

  countWrongKey(network: string, nowMs = performance.now()): void {
    this.#wrongKeys.take(network, nowMs);
  }

  /** Takes one request for the document or a file of its pages. Throws too-many-requests where the network has none left. */
  takeOpenFile(network: string, nowMs = performance.now()): void {
    const { allowed, retryAfterS } = this.#openFiles.take(network, nowMs);
    if (!allowed) throw tooMany('This address asks too often for the documentation.', retryAfterS);
  }
}

function levelOf(taken: Taken | undefined): string {
  return `r=${taken?.remaining ?? 0};t=${taken?.fullAfterS ?? 0}`;
}

function tooMany(what: string, retryAfterS: number): PorinError {
  const headers = { 'Retry-After': String(Math.max(1, retryAfterS)) };
  return new PorinError('too-many-requests', `${what} Try again in ${headers['Retry-After']} s.`, { headers });
}
