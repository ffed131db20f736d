import { DEFAULT_BOOTSTRAP, median, pairedRatio, seededRandom } from '#lib/overhead';
import { describe, expect, it } from 'vitest';
import { type BaselinedRun, pooledDifference, pooledRatio } from './pooled.js';

/** Noise as on a shared machine: it only adds, mostly little and sometimes much. */
function simulate(ratio: number, blocks: number, seed: number): BaselinedRun[] {
  const random = seededRandom(seed);
  const noisy = () => 1 - 0.05 * Math.log(1 - random());
  return Array.from({ length: blocks }, () => ({ measured: ratio * noisy(), baselines: [noisy(), noisy()] }));
}
const width = ({ low, high }: { low: number; high: number }) => high - low;

describe('pooledRatio', () => {
  it('is exact where there is no noise, and counts blocks', () => {
    const blocks = [1, 2, 4].map((wall) => ({ measured: 1.25 * wall, baselines: [wall, wall] }));
    expect(pooledRatio(blocks, DEFAULT_BOOTSTRAP)).toEqual({ median: 1.25, low: 1.25, high: 1.25, pairs: 3 });
  });

  it('is the paired ratio where each block has one baseline', () => {
    const blocks = simulate(1.02, 50, 1).map((run) => ({ ...run, baselines: run.baselines.slice(0, 1) }));
    const pairs = blocks.map(({ measured, baselines }) => ({ measured, baseline: baselines[0] ?? 0 }));
    expect(pooledRatio(blocks, DEFAULT_BOOTSTRAP)).toEqual(pairedRatio(pairs));
  });

  it('finds the true ratio under noise that only adds, where the mean of the baselines finds less', () => {
    const blocks = simulate(1, 20_000, 2);
    const options = { ...DEFAULT_BOOTSTRAP, resamples: 1 };
    const toMean = median(blocks.map(({ measured, baselines: [a = 0, b = 0] }) => (2 * measured) / (a + b)));
    expect(Math.abs(pooledRatio(blocks, options).median - 1)).toBeLessThan(0.002);
    expect(toMean).toBeLessThan(0.995);
  });

  it('is narrower than with one baseline, over many experiments', () => {
    const options = { ...DEFAULT_BOOTSTRAP, resamples: 300 };
    let [one, two] = [0, 0];
    for (let seed = 0; seed < 30; seed += 1) {
      const blocks = simulate(1, 100, 1000 + seed);
      const single = blocks.map((run) => ({ ...run, baselines: run.baselines.slice(0, 1) }));
      two += width(pooledRatio(blocks, options));
      one += width(pooledRatio(single, options));
    }
    expect(two).toBeLessThan(0.93 * one);
  });
});

describe('pooledDifference', () => {
  it('is what was added, whatever the baseline', () => {
    const blocks = [100, 200, 400].map((ns) => ({ measured: ns + 130, baselines: [ns, ns] }));
    expect(pooledDifference(blocks, DEFAULT_BOOTSTRAP)).toEqual({ median: 130, low: 130, high: 130, pairs: 3 });
  });
});
