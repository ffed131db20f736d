import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { unlessStalled } from './unless-stalled.js';

const STALL_MS = 1_000;
const never = new AbortController().signal;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('work on a file system', () => {
  it('goes on for as long as something moves', async () => {
    let moved = 0;
    let end: (text: string) => void = () => undefined;
    const work = () => new Promise<string>((resolve) => (end = resolve));
    const outcome = unlessStalled(work, { moved: () => moved, stallMs: STALL_MS }, never);
    for (; moved < 10; moved++) await vi.advanceTimersByTimeAsync(STALL_MS);
    end('done');
    expect(await outcome).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is told to end, and waited for no more, where nothing does', async () => {
    let told: AbortSignal = never;
    const work = (signal: AbortSignal) => {
      told = signal;
      return new Promise<never>(() => undefined);
    };
    const outcome = unlessStalled(work, { moved: () => 5, stallMs: STALL_MS }, never);
    const refused = expect(outcome).rejects.toThrow('its file system has not answered for 1000 ms');
    await vi.advanceTimersByTimeAsync(2 * STALL_MS);
    await refused;
    expect([told.aborted, vi.getTimerCount()]).toEqual([true, 0]);
  });

  it('ends with the reason of its signal where it heeds it', async () => {
    const controller = new AbortController();
    const work = (signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const outcome = unlessStalled(work, { moved: () => 5, stallMs: STALL_MS }, controller.signal);
    controller.abort('canceled');
    await expect(outcome).rejects.toBe('canceled');
  });
});
