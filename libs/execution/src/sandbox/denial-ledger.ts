/** Collects one payload's denials: the first of each shape as it comes, how often so far, and the exact counts at the end. */
import { type Denial } from '../executor-run.js';
import { type ControlMessage } from './control-message.js';
import { toDenial } from './denials.js';

/** Of the report as a JSON array, whatever a payload does: under 64 KiB. */
const MAX_REPORT_BYTES = 64 * 1024 - 1 - '[]'.length;
/** What a denial may grow by, from a count of 1 to one of 16 digits, and its comma. */
const GROWTH_BYTES = 16;

export type LedgerEvent =
  /** The first of its shape, with a count of 1; `index` is its place in the report. */
  | { readonly kind: 'denial'; readonly denial: Denial; readonly index: number }
  | { readonly kind: 'count'; readonly index: number; readonly count: number };

interface Entry {
  readonly denial: Denial;
  /** Its place in the report; absent where the report has no room for it. */
  readonly index?: number;
  count: number;
}

export class DenialLedger {
  readonly #entries: Entry[] = [];
  readonly #reported: Entry[] = [];
  #reportBytes = 0;
  /** Counts that came last and one after the other, from id 0 on: those before `dropped` are all, and exact. */
  #consecutive = 0;
  #dropped: number | undefined;

  /** All counts are in: nothing but the payload's end may follow. */
  get complete(): boolean {
    return this.#dropped !== undefined;
  }

  /** Takes the next message: denials by id, counts that grow, at the end one for each in order, and dropped. */
  take(message: ControlMessage): LedgerEvent | undefined | 'unexpected' {
    if (this.complete) return 'unexpected';
    if (message.kind === 'denial' && message.id === this.#entries.length) return this.#add(toDenial(message, 1));
    if (message.kind === 'count') return this.#count(message.id, message.count);
    if (message.kind === 'dropped' && this.#consecutive === this.#entries.length) {
      this.#dropped = message.count;
      return undefined;
    }
    return 'unexpected';
  }

  result(): { readonly denials: readonly Denial[]; readonly denialsDropped: number } {
    const unreported = this.#entries.filter(({ index }) => index === undefined);
    return {
      denials: this.#reported.map(({ denial, count }) => ({ ...denial, count })),
      denialsDropped: unreported.reduce((sum, { count }) => sum + count, this.#dropped ?? 0),
    };
  }

  #add(denial: Denial): LedgerEvent | undefined {
    this.#consecutive = 0;
    const bytes = Buffer.byteLength(JSON.stringify(denial)) + GROWTH_BYTES;
    if (this.#reportBytes + bytes > MAX_REPORT_BYTES) {
      this.#entries.push({ denial, count: 1 });
      return undefined;
    }
    this.#reportBytes += bytes;
    const index = this.#reported.length;
    const entry = { denial, index, count: 1 };
    this.#entries.push(entry);
    this.#reported.push(entry);
    return { kind: 'denial', denial, index };
  }

  #count(id: number, count: number): LedgerEvent | undefined | 'unexpected' {
    const entry = this.#entries[id];
    if (!entry || count < entry.count) return 'unexpected';
    this.#consecutive = id === this.#consecutive ? id + 1 : id === 0 ? 1 : 0;
    const grown = count > entry.count;
    entry.count = count;
    return grown && entry.index !== undefined ? { kind: 'count', index: entry.index, count } : undefined;
  }
}
