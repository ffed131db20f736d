import { describe, expect, it } from 'vitest';
import { progressLine } from './progress.js';

describe('progressLine', () => {
  it('says how long it took and how long the rest takes', () => {
    expect(progressLine('block', 25, 100, 60_000, 180_000)).toBe('block 25 of 100, 1 min 0 s so far, 3 min 0 s left');
  });

  it('promises nothing before anything is known, nor after the last', () => {
    expect(progressLine('block', 0, 100, 100, undefined)).toBe('block 0 of 100, 0 s so far');
    expect(progressLine('block', 100, 100, 59_400, 0)).toBe('block 100 of 100, 59 s so far');
  });
});
