import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Alarm } from './alarm.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** How often the sleeper has woken up, while it sleeps again and again. */
function sleeper(alarm: Alarm, ms: number): () => number {
  let times = 0;
  const sleep = (): Promise<void> => alarm.sleep(ms).then(() => (times++, sleep()));
  void sleep();
  return () => times;
}

describe('an alarm', () => {
  it('ends a sleep by itself, and at once when it is woken', async () => {
    const alarm = new Alarm();
    const times = sleeper(alarm, 1_000);
    await vi.advanceTimersByTimeAsync(999);
    expect(times()).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(times()).toBe(1);
    alarm.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(times()).toBe(2);
  });

  it('is not late for the first of many wake-ups, and takes the others together', async () => {
    const alarm = new Alarm(500);
    const times = sleeper(alarm, 60_000);
    await vi.advanceTimersByTimeAsync(10_000);
    alarm.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(times()).toBe(1);
    for (let n = 0; n < 40; n++) {
      alarm.wake();
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(times()).toBe(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(times()).toBe(2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(times()).toBe(2);
  });
});
