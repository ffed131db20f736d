/** Finds a payload that spins on calls that it is refused: so many a second, second after second. */
import { type ListedDenial } from '../denial-list.js';
import { type StormTerms } from '../executor-run.js';
import { type DeniedSoFar } from './denial-ledger.js';

interface Counts {
  readonly atUs: number;
  /** By the channel's id. */
  readonly counts: readonly number[];
  readonly dropped: number;
}

const SECOND_US = 1_000_000;
const START: Counts = { atUs: 0, counts: [], dropped: 0 };

/**
 * By porin-init's clock, so that neither a busy worker nor a late message changes the rate. A tally comes about every second
 * while calls are denied; a pause ends a storm, because the time until the next tally belongs to it.
 */
export class StormWatch {
  #before = START;
  /** Since when the rate has been reached at each tally. */
  #since = START;

  constructor(private readonly terms: StormTerms) {}

  /** The denial whose call has grown most since the storm began; undefined as long as there is none. */
  take(soFar: DeniedSoFar): ListedDenial | undefined {
    const now: Counts = {
      atUs: soFar.atUs,
      counts: soFar.listed.map(({ count }) => count),
      dropped: soFar.dropped,
    };
    const calls = total(now) - total(this.#before);
    const isReached = calls * SECOND_US >= this.terms.perSecond * (now.atUs - this.#before.atUs);
    this.#before = now;
    if (!isReached) this.#since = now;
    if (now.atUs - this.#since.atUs < this.terms.seconds * SECOND_US) return undefined;
    return this.#grownMost(soFar);
  }

  #grownMost({ listed, dropped, lastDropped }: DeniedSoFar): ListedDenial | undefined {
    const { counts, dropped: before } = this.#since;
    const growths = listed.map(
      (denial, id) => denial.count - (counts[id] ?? 0) + (denial === lastDropped ? dropped - before : 0),
    );
    return listed[growths.indexOf(Math.max(...growths))];
  }
}

function total({ counts, dropped }: Counts): number {
  return counts.reduce((sum, count) => sum + count, dropped);
}
