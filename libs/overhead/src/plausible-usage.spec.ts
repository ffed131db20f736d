import { describe, expect, it } from 'vitest';
import { isPlausibleUsage } from './plausible-usage.js';

describe('isPlausibleUsage', () => {
  it.each([
    ['a thread that worked all the time', { wallUs: 2_000, userUs: 1_500, systemUs: 500 }, 1, true],
    ['two threads on two cores', { wallUs: 1_000_000, userUs: 1_900_000, systemUs: 90_000 }, 2, true],
    ['a program that slept', { wallUs: 5_000_000, userUs: 0, systemUs: 0 }, 1, true],
    ['a clock that NTP slows down', { wallUs: 1_000_000, userUs: 1_005_000, systemUs: 0 }, 1, true],
    ['a few microseconds between two clocks', { wallUs: 500, userUs: 590, systemUs: 0 }, 1, true],
    ['a start that was stamped late', { wallUs: 33, userUs: 2_209, systemUs: 0 }, 2, false],
    ['more than one core has', { wallUs: 1_000_000, userUs: 900_000, systemUs: 200_000 }, 1, false],
    ['no wall time at all', { wallUs: 0, userUs: 0, systemUs: 0 }, 8, false],
    ['a wall time that is no number', { wallUs: Number.NaN, userUs: 0, systemUs: 0 }, 8, false],
  ])('judges %s', (_name, usage, cores, plausible) => {
    expect(isPlausibleUsage(usage, cores)).toBe(plausible);
  });
});
