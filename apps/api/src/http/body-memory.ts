/** How many bytes of bodies this process holds at once, for each key and for all: what does not fit is refused, with a time to come back. */
import { PorinError } from '../errors/porin-error.js';

/** Bytes of a body that a route has no use for. */
export const UNUSED_BODY_LIMIT_BYTES = 64 * 1024;
/** Of the largest body: so many fit at once for a key, and for the whole process. */
const BODIES_PER_KEY = 8;
const BODIES = 32;
const RETRY_AFTER_S = 2;

export class BodyMemory {
  readonly #byKey = new Map<string, number>();
  #total = 0;

  readonly #largestBytes: number;

  constructor(bodyLimitBytes: number) {
    this.#largestBytes = Math.max(bodyLimitBytes, UNUSED_BODY_LIMIT_BYTES);
  }

  /** Holds nothing yet. */
  open(keyId: string): BodyShare {
    return new BodyShare((bytes) => this.#add(keyId, bytes));
  }

  get heldBytes(): number {
    return this.#total;
  }

  #add(keyId: string, bytes: number): void {
    const ofKey = (this.#byKey.get(keyId) ?? 0) + bytes;
    if (bytes > 0) this.#requireRoom(ofKey, this.#total + bytes);
    this.#total += bytes;
    if (ofKey === 0) this.#byKey.delete(keyId);
    else this.#byKey.set(keyId, ofKey);
  }

  #requireRoom(ofKey: number, total: number): void {
    const headers = { 'Retry-After': String(RETRY_AFTER_S) };
    const again = `Try again in ${RETRY_AFTER_S} s.`;
    if (ofKey > BODIES_PER_KEY * this.#largestBytes) {
      throw new PorinError('too-many-requests', `This key sends too many large bodies at once. ${again}`, { headers });
    }
    if (total > BODIES * this.#largestBytes) {
      throw new PorinError('overloaded', `The API holds as many bodies as it may. ${again}`, { headers });
    }
  }
}

/** Of one request, from its first byte until it has been answered. */
export class BodyShare {
  #heldBytes = 0;

  constructor(private readonly add: (bytes: number) => void) {}

  /** Throws too-many-requests and overloaded; then it holds what it held. */
  grow(bytes: number): void {
    this.add(bytes);
    this.#heldBytes += bytes;
  }

  /** Again and again without effect. */
  release(): void {
    this.add(-this.#heldBytes);
    this.#heldBytes = 0;
  }
}
