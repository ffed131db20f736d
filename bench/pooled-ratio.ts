/** The ratio of a level to its baselines, over blocks that may have several baselines each. */
import { bootstrapInterval, type BootstrapOptions, median, type PairedRatio } from '#lib/overhead';

/** Wall times of one block, in any unit. */
export interface BaselinedRun {
  readonly measured: number;
  /** One or more, of equal runs. */
  readonly baselines: readonly number[];
}

/**
 * The median of the ratios to every baseline, bootstrapped over blocks; `pairs` counts blocks. A second baseline makes
 * the interval narrower. Ratios to the baselines' mean would do so too, but noise only ever adds time: the mean of two
 * lies above their median, and an overhead of nothing would come out as less than nothing.
 */
export function pooledRatio(blocks: readonly BaselinedRun[], options: BootstrapOptions): PairedRatio {
  const estimate = (sample: readonly BaselinedRun[]) =>
    median(sample.flatMap(({ measured, baselines }) => baselines.map((baseline) => measured / baseline)));
  return { median: estimate(blocks), ...bootstrapInterval(blocks, estimate, options), pairs: blocks.length };
}
