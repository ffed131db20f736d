/** The overhead of a level as the median of paired ratios, with an interval, and whether it meets its bar. */
import { bootstrapInterval, type BootstrapOptions, DEFAULT_BOOTSTRAP, median } from './statistics.js';

/** Two runs of one block: neighbours in time, so that the block's noise falls on both. Any unit, the same for both. */
export interface Pair {
  readonly baseline: number;
  readonly measured: number;
}

export interface PairedRatio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly pairs: number;
}

/** One pair a block. @throws RangeError for no pairs, or values that are not positive and finite */
export function pairedRatio(pairs: readonly Pair[], options: BootstrapOptions = DEFAULT_BOOTSTRAP): PairedRatio {
  const ratios = pairs.map(({ baseline, measured }) => {
    if (!isDuration(baseline) || !isDuration(measured)) throw new RangeError('a pair holds positive, finite values');
    return measured / baseline;
  });
  return { median: median(ratios), ...bootstrapInterval(ratios, median, options), pairs: ratios.length };
}

/** Half the width of an A/A control's interval, whose true ratio is 1: the resolution of the experiment. */
export function aaHalfWidth(control: PairedRatio): number {
  return (control.high - control.low) / 2;
}

export const AA_HALF_WIDTH_MAXIMUM = 0.007;

export type Verdict = 'within-bar' | 'over-bar' | 'too-noisy';

/**
 * The whole interval must lie within the bar. Noise is judged first, because a noisy experiment proves nothing either way:
 * a control that is too wide, or that finds a difference of that size between equal levels.
 */
export function verdict(
  ratio: PairedRatio,
  bar: number,
  control: PairedRatio,
  halfWidthMaximum = AA_HALF_WIDTH_MAXIMUM,
): Verdict {
  const quiet = aaHalfWidth(control) <= halfWidthMaximum && Math.abs(control.median - 1) <= halfWidthMaximum;
  if (!quiet) return 'too-noisy';
  return ratio.high <= bar ? 'within-bar' : 'over-bar';
}

function isDuration(value: number): boolean {
  return Number.isFinite(value) && value > 0;
}
