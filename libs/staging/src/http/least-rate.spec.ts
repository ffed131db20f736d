import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LeastRate } from './least-rate.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Whether the transfer was ended after each second, in which so many bytes were moved. */
function run(bytes: readonly number[]): boolean[] {
  let slow = false;
  const rate = new LeastRate({ graceMs: 2_500, leastBytesPerS: 100 }, () => (slow = true));
  const ended = bytes.map((moved) => {
    rate.moved(moved);
    vi.advanceTimersByTime(1_000);
    return slow;
  });
  rate.end();
  return ended;
}

it('gives a transfer the grace, and a second for each hundred bytes beyond', () => {
  expect(run([0, 0, 0])).toEqual([false, false, true]);
  expect(run([0, 0, 100, 0])).toEqual([false, false, false, true]);
  expect(run([1000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])).toEqual([...Array<boolean>(12).fill(false), true]);
});

it('never ends one that moves as much, nor one that has ended', () => {
  expect(run(Array<number>(100).fill(100))).not.toContain(true);
  run([]);
  vi.advanceTimersByTime(1_000_000);
  expect(vi.getTimerCount()).toBe(0);
});
