/** A level against its baselines, over blocks that may have several baselines each: as a ratio, and as a difference. */
import { bootstrapInterval, type BootstrapOptions, median, type PairedRatio } from '#lib/overhead';

/** Values of one block, in any unit. */
export interface BaselinedRun {
  readonly measured: number;
  /** One or more, of equal runs. */
  readonly baselines: readonly number[];
}

/** A median with its interval; `pairs` counts blocks. */
export type Pooled = PairedRatio;

/**
 * The median of the ratios to every baseline, bootstrapped over blocks. A second baseline makes the interval narrower.
 * Ratios to the baselines' mean would do so too, but noise only ever adds time: the mean of two lies above their median,
 * and an overhead of nothing would come out as less than nothing.
 */
export function pooledRatio(blocks: readonly BaselinedRun[], options: BootstrapOptions): Pooled {
  return pooled(blocks, options, (measured, baseline) => measured / baseline);
}

/** The same with differences: what a level adds. */
export function pooledDifference(blocks: readonly BaselinedRun[], options: BootstrapOptions): Pooled {
  return pooled(blocks, options, (measured, baseline) => measured - baseline);
}

function pooled(
  blocks: readonly BaselinedRun[],
  options: BootstrapOptions,
  compare: (measured: number, baseline: number) => number,
): Pooled {
  const estimate = (sample: readonly BaselinedRun[]) =>
    median(sample.flatMap(({ measured, baselines }) => baselines.map((baseline) => compare(measured, baseline))));
  return { median: estimate(blocks), ...bootstrapInterval(blocks, estimate, options), pairs: blocks.length };
}
