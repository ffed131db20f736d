import { describe, expect, it } from 'vitest';
import { aaHalfWidth, type Pair, pairedRatio, verdict } from './paired-ratio.js';
import { seededRandom } from './statistics.js';

/** Runs of 0.7 s whose machine drifts by 30 % from block to block, with 1 % noise of their own. */
function simulate(trueRatio: number, blocks: number, seed: number, noise = 0.01): Pair[] {
  const random = seededRandom(seed);
  const own = () => 1 + noise * (random() + random() + random() - 1.5) * 2;
  return Array.from({ length: blocks }, () => {
    const drift = 0.7 * (1 + 0.3 * random());
    return { baseline: drift * own(), measured: drift * trueRatio * own() };
  });
}

describe('pairedRatio', () => {
  it('is exact where there is no noise', () => {
    const pairs = [1, 2, 4].map((baseline) => ({ baseline, measured: baseline * 1.25 }));
    expect(pairedRatio(pairs)).toEqual({ median: 1.25, low: 1.25, high: 1.25, pairs: 3 });
  });

  it('takes the median of ratios, not the ratio of medians', () => {
    const pairs = [
      { baseline: 1, measured: 2 },
      { baseline: 10, measured: 10 },
      { baseline: 100, measured: 90 },
    ];
    expect(pairedRatio(pairs).median).toBe(1);
  });

  it('finds a simulated overhead of 2 % under a drift of 30 %', () => {
    const { median, low, high } = pairedRatio(simulate(1.02, 200, 11));
    expect(low).toBeGreaterThan(1.01);
    expect(high).toBeLessThan(1.03);
    expect(Math.abs(median - 1.02)).toBeLessThan(0.005);
  });

  it('holds the true ratio in about 95 of 100 experiments', () => {
    let held = 0;
    for (let experiment = 0; experiment < 200; experiment += 1) {
      const options = { resamples: 500, confidence: 0.95, seed: experiment };
      const { low, high } = pairedRatio(simulate(1.05, 60, 1000 + experiment), options);
      if (low <= 1.05 && 1.05 <= high) held += 1;
    }
    // Binomial with p = 0.95: mean 190, standard deviation 3.
    expect(held).toBeGreaterThanOrEqual(178);
    expect(held).toBeLessThan(200);
  });

  it('grows narrower with more blocks', () => {
    const width = (blocks: number) => {
      const { low, high } = pairedRatio(simulate(1, blocks, 5));
      return high - low;
    };
    expect(width(400)).toBeLessThan(width(25) / 2);
  });

  it.each([0, -1, Number.NaN, Infinity])('refuses a run of %d', (value) => {
    expect(() => pairedRatio([{ baseline: value, measured: 1 }])).toThrow(RangeError);
    expect(() => pairedRatio([{ baseline: 1, measured: value }])).toThrow(RangeError);
  });

  it('refuses no pairs', () => {
    expect(() => pairedRatio([])).toThrow(RangeError);
  });
});

describe('verdict', () => {
  const interval = (low: number, high: number) => ({ median: (low + high) / 2, low, high, pairs: 100 });
  const quiet = interval(0.996, 1.003);

  it('needs the whole interval within the bar', () => {
    expect(verdict(interval(1.001, 1.019), 1.02, quiet)).toBe('within-bar');
    expect(verdict(interval(1.001, 1.02), 1.02, quiet)).toBe('within-bar');
    expect(verdict(interval(1.001, 1.021), 1.02, quiet)).toBe('over-bar');
  });

  it('trusts nothing that was measured under too much noise', () => {
    for (const control of [interval(0.992, 1.008), interval(1.009, 1.01), interval(Number.NaN, 1)]) {
      expect(verdict(interval(1, 1.001), 1.02, control)).toBe('too-noisy');
      expect(verdict(interval(2, 3), 1.02, control)).toBe('too-noisy');
    }
  });

  it('calls half the width of the control its resolution', () => {
    expect(aaHalfWidth(quiet)).toBeCloseTo(0.0035, 12);
    expect(verdict(quiet, 1.02, quiet, 0.003)).toBe('too-noisy');
  });

  it('calls a simulated A/A control of 100 blocks quiet, and one with much noise noisy', () => {
    const judge = (noise: number) => verdict(interval(1, 1.001), 1.02, pairedRatio(simulate(1, 100, 21, noise)));
    expect(judge(0.01)).toBe('within-bar');
    expect(judge(0.2)).toBe('too-noisy');
  });
});
