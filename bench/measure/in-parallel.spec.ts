import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { inParallel } from './in-parallel.js';

describe('inParallel', () => {
  it('does each once, never more at once than it may', async () => {
    const done: number[] = [];
    let running = 0;
    let most = 0;
    await inParallel(10, 3, async (index) => {
      running += 1;
      most = Math.max(most, running);
      await setImmediate();
      running -= 1;
      done.push(index);
    });
    expect(done.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(most).toBe(3);
  });

  it('rejects as soon as one fails', async () => {
    await expect(inParallel(5, 2, (index) => Promise.reject(new Error(`failed ${index}`)))).rejects.toThrow('failed 0');
  });
});
