/** Order statistics, and a bootstrap that gives the same interval for the same seed. */

/** A function that gives numbers from 0 up to, not including, 1. */
export type Random = () => number;

/** Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, enough for resampling indices. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @throws RangeError for no values */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * Linear interpolation between the closest ranks (type 7 of Hyndman and Fan, the default of R and numpy).
 * @throws RangeError for no values, values that are no numbers, or a probability outside 0 to 1
 */
export function quantile(values: readonly number[], probability: number): number {
  if (values.length === 0) throw new RangeError('no values');
  if (values.some(Number.isNaN)) throw new RangeError('a value is not a number');
  if (!(probability >= 0 && probability <= 1)) throw new RangeError('a probability lies between 0 and 1');
  return quantileOfSorted(
    [...values].sort((a, b) => a - b),
    probability,
  );
}

export interface BootstrapOptions {
  readonly resamples: number;
  /** Such as 0.95. */
  readonly confidence: number;
  readonly seed: number;
}
export const DEFAULT_BOOTSTRAP: BootstrapOptions = { resamples: 4000, confidence: 0.95, seed: 1 };

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Percentile bootstrap: whole blocks are drawn with replacement, because the values of one block share its noise.
 * @throws RangeError for no blocks, or options out of range
 */
export function bootstrapInterval<Block>(
  blocks: readonly Block[],
  estimate: (sample: readonly Block[]) => number,
  { resamples, confidence, seed }: BootstrapOptions = DEFAULT_BOOTSTRAP,
): Interval {
  if (blocks.length === 0) throw new RangeError('no blocks');
  if (!Number.isInteger(resamples) || resamples < 1) throw new RangeError('resamples must be a positive integer');
  if (!(confidence > 0 && confidence < 1)) throw new RangeError('confidence lies between 0 and 1');
  const random = seededRandom(seed);
  const draw = () => blocks[Math.floor(random() * blocks.length)] as Block;
  const estimates = Array.from({ length: resamples }, () => estimate(Array.from(blocks, draw))).sort((a, b) => a - b);
  const tail = (1 - confidence) / 2;
  return { low: quantileOfSorted(estimates, tail), high: quantileOfSorted(estimates, 1 - tail) };
}

function quantileOfSorted(sorted: readonly number[], probability: number): number {
  const rank = (sorted.length - 1) * probability;
  const below = sorted[Math.floor(rank)] as number;
  const above = sorted[Math.ceil(rank)] as number;
  return below + (above - below) * (rank - Math.floor(rank));
}
