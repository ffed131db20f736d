import { describe, expect, it } from 'vitest';
import { Lanes } from './lanes.js';

describe('lanes', () => {
  it('take no more than there are at once, the others in the order in which they came', async () => {
    const lanes = new Lanes(2);
    const started: number[] = [];
    const ends: (() => void)[] = [];
    const works = [0, 1, 2, 3].map((index) =>
      lanes.run(() => {
        started.push(index);
        return new Promise<number>((resolve) => ends.push(() => resolve(index)));
      }),
    );
    expect(started).toEqual([0, 1]);
    ends[1]?.();
    await works[1];
    expect(started).toEqual([0, 1, 2]);
    ends[0]?.();
    await works[0];
    ends[2]?.();
    ends[3]?.();
    expect(await Promise.all(works)).toEqual([0, 1, 2, 3]);
  });

  it('are free again after work that failed', async () => {
    const lanes = new Lanes(1);
    await expect(lanes.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await lanes.run(() => Promise.resolve(1))).toBe(1);
  });
});
