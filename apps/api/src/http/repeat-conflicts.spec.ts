import { defer, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { RepeatConflicts } from './repeat-conflicts.js';

const deadlock = () => Object.assign(new Error('deadlock detected'), { code: '40P01' });

/** How often the work was done, and what came of it. */
async function done(work: (time: number) => unknown): Promise<[number, unknown]> {
  let times = 0;
  const handle = () => defer(() => Promise.resolve().then(() => work(++times)));
  const answer = await firstValueFrom(new RepeatConflicts().intercept(undefined as never, { handle })).catch(
    (error: Error) => error.message,
  );
  return [times, answer];
}

describe('a request whose transaction met another one', () => {
  it('is done again, and a few times at most', async () => {
    const twice = (time: number) => {
      if (time < 3) throw deadlock();
      return 'answer';
    };
    expect(await done(twice)).toEqual([3, 'answer']);
    expect(await done(() => Promise.reject(deadlock()))).toEqual([4, 'deadlock detected']);
  });

  it('is not done again for any other error', async () => {
    expect(await done(() => Promise.reject(new Error('wrong')))).toEqual([1, 'wrong']);
  });
});
