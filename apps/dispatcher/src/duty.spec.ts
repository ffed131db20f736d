import { describe, expect, it, vi } from 'vitest';
import { every, guarded, paced } from './duty.js';

const failing = (...messages: readonly string[]) => {
  const left = [...messages];
  return vi.fn(() => {
    const message = left.shift();
    return message === undefined ? Promise.resolve() : Promise.reject(new Error(message));
  });
};
const HOUR_MS = 3_600_000;

describe('guarded', () => {
  it('keeps what goes wrong in one duty from the others', async () => {
    const [broken, other] = [failing('value out of range'), failing()];
    const logger = { error: vi.fn() };
    for (const duty of [broken, other].map((each) => guarded(each, logger))) await duty();
    expect(other).toHaveBeenCalledTimes(1);
    expect(logger.error).toHaveBeenCalledTimes(1);
  });

  it('rests after a failure, and is tried again', async () => {
    const duty = failing('a', 'a', 'a');
    const resting = guarded(duty, { error: vi.fn() }, HOUR_MS);
    await resting();
    await resting();
    expect(duty).toHaveBeenCalledTimes(1);
    const again = failing('a');
    const restless = guarded(again, { error: vi.fn() }, 0);
    await restless();
    await restless();
    expect(again).toHaveBeenCalledTimes(2);
  });

  it('tells of the same failure once, and again after it was well', async () => {
    const logger = { error: vi.fn() };
    const left: (string | undefined)[] = ['a', 'a', 'b', undefined, 'b', 'b'];
    const duty = guarded(
      () => {
        const message = left.shift();
        return message === undefined ? Promise.resolve() : Promise.reject(new Error(message));
      },
      logger,
      0,
    );
    for (let turn = 0; turn < 6; turn++) await duty();
    expect(logger.error.mock.calls.map(([{ err }]) => (err as Error).message)).toEqual(['a', 'b', 'b']);
  });
});

describe('paced', () => {
  it('is due again after the pause that its result asks for, and at once after a failure', async () => {
    const work = failing('a');
    const duty = paced(work, () => HOUR_MS);
    await expect(duty()).rejects.toThrow('a');
    await duty();
    await duty();
    expect(work).toHaveBeenCalledTimes(2);
  });

  it('gives each of several a clock of its own', async () => {
    const [broken, other] = [failing('a'), failing()];
    const [first, second] = every(HOUR_MS, broken, other);
    await expect(first?.()).rejects.toThrow('a');
    await second?.();
    await second?.();
    await first?.();
    expect([broken.mock.calls.length, other.mock.calls.length]).toEqual([2, 1]);
  });
});
