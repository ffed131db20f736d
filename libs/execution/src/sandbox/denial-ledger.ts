/** Collects one payload's denials: the first of each shape as it comes, the exact counts at the end. */
import { type Denial } from '../executor-run.js';
import { type ControlMessage, type RawDenial } from './control-message.js';
import { toDenial } from './denials.js';

export class DenialLedger {
  readonly #raw: RawDenial[] = [];
  readonly #counts: number[] = [];
  #dropped: number | undefined;

  /** All counts are in: nothing but the payload's end may follow. */
  get complete(): boolean {
    return this.#dropped !== undefined;
  }

  /**
   * Takes the next message, in the one order there is: denials by id, one count for each in the same order, dropped.
   * Returns the denial when it is the first of its shape, with a count of 1.
   */
  take(message: ControlMessage): Denial | undefined | 'unexpected' {
    if (this.complete) return 'unexpected';
    if (message.kind === 'denial' && message.id === this.#raw.length && this.#counts.length === 0) {
      this.#raw.push(message);
      return toDenial(message, 1);
    }
    if (message.kind === 'count' && message.id === this.#counts.length && message.id < this.#raw.length) {
      this.#counts.push(message.count);
      return undefined;
    }
    if (message.kind === 'dropped' && this.#counts.length === this.#raw.length) {
      this.#dropped = message.count;
      return undefined;
    }
    return 'unexpected';
  }

  result(): { readonly denials: readonly Denial[]; readonly denialsDropped: number } {
    return {
      denials: this.#raw.map((raw, index) => toDenial(raw, this.#counts[index] ?? 1)),
      denialsDropped: this.#dropped ?? 0,
    };
  }
}
