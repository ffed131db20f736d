import { describe, expect, it } from 'vitest';
import { type Holding, Resources } from './resources.js';

const GIB = 1024 ** 3;
const share = (cpuMilli: number, memoryBytes = GIB) => ({ cpuMilli, memoryBytes, diskBytes: 1 });
const never = new AbortController().signal;
const node = (slots = 4) => new Resources({ cpuMilli: 2000, memoryBytes: 4 * GIB, diskBytes: 10 }, slots);

/** Whether a promise has been resolved once all that is due has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('the resources of a node', () => {
  it('are given while they last, each job a slot of its own', async () => {
    const resources = node();
    const [first, second] = await Promise.all([resources.take(share(1000), never), resources.take(share(1000), never)]);
    expect(first.slot).not.toBe(second.slot);
    const third = resources.take(share(500), never);
    expect(await isSettled(third)).toBe(false);
    first.release();
    expect((await third).slot).not.toBe(second.slot);
  });

  it('are not given twice when a job releases them twice', async () => {
    const resources = node();
    const first = await resources.take(share(2000), never);
    first.release();
    first.release();
    await resources.take(share(2000), never);
    expect(await isSettled(resources.take(share(1), never))).toBe(false);
  });

  it('are held back for a large job that came first', async () => {
    const resources = node();
    const small = await resources.take(share(1000), never);
    const large = resources.take(share(2000), never);
    const later = resources.take(share(100), never);
    expect(await isSettled(later)).toBe(false);
    small.release();
    ((await large) satisfies Holding).release();
    expect(await isSettled(later)).toBe(true);
  });

  it('go on to the next when the one that waits gives up', async () => {
    const resources = node();
    await resources.take(share(1500), never);
    const impatient = new AbortController();
    const large = resources.take(share(2000), impatient.signal);
    const small = resources.take(share(500), never);
    impatient.abort(new Error('enough'));
    await expect(large).rejects.toThrow('enough');
    expect(await isSettled(small)).toBe(true);
  });

  it('hold no more jobs at once than there are slots', async () => {
    const resources = node(1);
    await resources.take(share(1), never);
    expect(await isSettled(resources.take(share(1), never))).toBe(false);
  });

  it('say what a job asks for that the node does not have', async () => {
    const resources = node();
    expect(resources.lacking(share(2000))).toBeUndefined();
    expect(resources.lacking(share(2001))).toBe('cpuMilli');
    expect(resources.lacking(share(1, 5 * GIB))).toBe('memoryBytes');
    await expect(resources.take(share(2001), never)).rejects.toThrow(RangeError);
  });
});
