import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Heartbeat } from './heartbeat.js';

describe('the heartbeat of a node', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('goes on, more often while the node cannot work', async () => {
    let isWell = true;
    const beat = vi.fn(() => Promise.resolve(isWell));
    const heartbeat = new Heartbeat(beat);
    heartbeat.start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(beat).toHaveBeenCalledTimes(1);
    isWell = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(beat).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(beat).toHaveBeenCalledTimes(5);
    await heartbeat.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(beat).toHaveBeenCalledTimes(5);
  });

  it('comes at once where it is woken, and once more for any number of wake-ups during a beat', async () => {
    const ends: (() => void)[] = [];
    const beat = vi.fn(() => new Promise<boolean>((resolve) => ends.push(() => resolve(true))));
    const heartbeat = new Heartbeat(beat);
    heartbeat.wake();
    expect(beat).not.toHaveBeenCalled();
    heartbeat.start();
    for (let times = 0; times < 3; times++) heartbeat.wake();
    expect(beat).toHaveBeenCalledTimes(1);
    ends.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(beat).toHaveBeenCalledTimes(2);
    ends.shift()?.();
    await vi.advanceTimersByTimeAsync(9_000);
    expect(beat).toHaveBeenCalledTimes(2);
    await heartbeat.stop();
  });
});
