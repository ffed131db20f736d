import { describe, expect, it } from 'vitest';
import { bootstrapInterval, median, quantile, seededRandom } from './statistics.js';

describe('quantile', () => {
  // numpy.quantile([15, 20, 35, 40, 50], p)
  it.each([
    [0, 15],
    [0.05, 16],
    [0.25, 20],
    [0.4, 29],
    [0.5, 35],
    [0.95, 48],
    [1, 50],
  ])('at %d agrees with numpy: %d', (probability, value) => {
    expect(quantile([40, 15, 50, 20, 35], probability)).toBeCloseTo(value, 12);
  });

  it('of an even count at 0.5 is the mean of the middle two', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
  });

  it('leaves its values as they were', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('refuses what has no quantile', () => {
    expect(() => median([])).toThrow(RangeError);
    expect(() => median([1, Number.NaN])).toThrow(RangeError);
    expect(() => quantile([1], 1.1)).toThrow(RangeError);
    expect(() => quantile([1], Number.NaN)).toThrow(RangeError);
  });
});

describe('seededRandom', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const take = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
    expect(take(7)).toEqual(take(7));
    expect(take(7)).not.toEqual(take(8));
  });

  it('is spread evenly over 0 to 1', () => {
    const random = seededRandom(42);
    const counts = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 100_000; draw += 1) counts[Math.floor(random() * 10)]! += 1;
    // Standard deviation of each count is 95.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});

describe('bootstrapInterval', () => {
  const options = { resamples: 2000, confidence: 0.95, seed: 3 };
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  it('agrees with the known standard error of a mean', () => {
    // 400 values of 0 or 1: the mean's standard error is 0.025, so the interval is 0.5 +- 0.049.
    const values = Array.from({ length: 400 }, (_value, index) => index % 2);
    const { low, high } = bootstrapInterval(values, mean, options);
    expect(low).toBeGreaterThan(0.44);
    expect(low).toBeLessThan(0.46);
    expect(high).toBeGreaterThan(0.54);
    expect(high).toBeLessThan(0.56);
  });

  it('gives the same interval for the same seed', () => {
    const values = [1, 5, 2, 8, 3];
    expect(bootstrapInterval(values, mean, options)).toEqual(bootstrapInterval(values, mean, options));
    expect(bootstrapInterval(values, mean, { ...options, seed: 4 })).not.toEqual(
      bootstrapInterval(values, mean, options),
    );
  });

  it('draws whole blocks', () => {
    const blocks = [
      [1, 1],
      [9, 9],
    ];
    const seen = new Set<number>();
    bootstrapInterval(
      blocks,
      (sample) => {
        seen.add(mean(sample.flat()));
        return 0;
      },
      options,
    );
    expect([...seen].sort()).toEqual([1, 5, 9]);
  });

  it('refuses nothing to draw from, and options out of range', () => {
    expect(() => bootstrapInterval([], mean, options)).toThrow(RangeError);
    expect(() => bootstrapInterval([1], mean, { ...options, resamples: 0 })).toThrow(RangeError);
    expect(() => bootstrapInterval([1], mean, { ...options, confidence: 1 })).toThrow(RangeError);
  });
});
