import { describe, expect, it } from 'vitest';
import { busyShare } from './busy-share.js';

const stat = (user: number, idle: number, iowait = 0) =>
  `cpu  ${user} 0 0 ${idle} ${iowait} 0 0 0 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n`;

describe('busyShare', () => {
  it('counts all but idle and waiting for input and output', () => {
    expect(busyShare(stat(100, 100), stat(130, 170))).toBeCloseTo(0.3, 12);
    expect(busyShare(stat(100, 100), stat(100, 150, 50))).toBe(0);
    expect(busyShare(stat(100, 100), stat(120, 100))).toBe(1);
  });

  it('is 0 between two readings within one tick', () => {
    expect(busyShare(stat(1, 1), stat(1, 1))).toBe(0);
  });
});
