/**
 * Whether a build's recordings still bring new calls, and about how many more are worth waiting for.
 *
 * The estimate is Good's and Turing's (Good 1953, "The Population Frequencies of Species"): of n recordings, the calls that
 * only one of them has, divided by n, are the new calls to expect of the next one. It is the mean, over the recordings, of
 * what each would have added to all the others.
 */
import { BASIC_CALLS, broughtBy } from '../kernel/families.js';
import { type Closure } from './closure.js';

export interface Growth {
  /** Of each recording, in their order: its calls that a profile learned from the earlier ones would lack. */
  readonly newCalls: readonly number[];
  /** New calls to expect of the next recording; null of fewer than two, which say nothing about a next one. */
  readonly expected: number | null;
  /** Recordings until fewer than EXPECTED_ENOUGH are to be expected; 0 when that is so by now. */
  readonly moreRuns: number;
}

/** Below this, a next run more likely brings nothing new than something. */
const EXPECTED_ENOUGH = 0.5;
/** Whoever is told a larger number would not believe it, and the estimate is not good for it. */
const MORE_RUNS_MAXIMUM = 20;

const BASIC: ReadonlySet<string> = new Set(BASIC_CALLS);

/**
 * `recordings`: the calls of each, oldest first. Basic calls are never new, nor, with closure `families`, are calls that an
 * earlier call implied. `growthOf([['socket'], ['socket', 'bind', 'read']], 'seen').newCalls` is [1, 1].
 */
export function growthOf(recordings: readonly (readonly string[])[], closure: Closure): Growth {
  /** In how many recordings the call is, or is brought by another. */
  const held = new Map<string, number>();
  const newCalls = recordings.map((names) => {
    const counted = names.filter((name) => !BASIC.has(name));
    const fresh = counted.filter((name) => !held.has(name)).length;
    const brought = closure === 'families' ? counted.flatMap((name) => broughtBy(name).map((each) => each.name)) : [];
    for (const name of new Set([...counted, ...brought])) held.set(name, (held.get(name) ?? 0) + 1);
    return fresh;
  });
  const { length: n } = recordings;
  if (n < 2) return { newCalls, expected: null, moreRuns: n === 0 ? 0 : 2 };
  const alone = new Set(recordings.flat().filter((name) => held.get(name) === 1)).size;
  return { newCalls, expected: alone / n, moreRuns: moreRunsOf(alone, n) };
}

/**
 * As if there were as many calls of one recording alone after further runs as there are now: each that is seen again makes
 * room for a new one. It errs on the side of more runs.
 */
function moreRunsOf(alone: number, n: number): number {
  if (alone / n < EXPECTED_ENOUGH) return 0;
  return Math.min(Math.floor(alone / EXPECTED_ENOUGH) + 1 - n, MORE_RUNS_MAXIMUM);
}

/** For the person who is about to approve; null where nothing speaks for waiting. */
export function growthAdvice({ newCalls, expected, moreRuns }: Growth): string | null {
  if (moreRuns === 0) return null;
  const watch = `watch about ${counted(moreRuns, 'more run')} before you approve.`;
  if (expected === null) return `One recording says nothing about the next: ${watch}`;
  const last = newCalls.at(-1) ?? 0;
  const seen =
    last > 0
      ? `the last recording brought ${counted(last, 'new call')}`
      : `recordings have calls that no other has (${Math.round(expected * newCalls.length)})`;
  return `Still growing: ${seen}; ${watch}`;
}

/** `counted(3, 'new call')` is "3 new calls". */
function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
