import { describe, expect, it } from 'vitest';
import { DenialList, type ListedDenial } from '../denial-list.js';
import { StormWatch } from './storm-watch.js';

const TERMS = { perSecond: 100, seconds: 3 };

/** A payload whose calls are told at moments in seconds; the second at which it is found to spin, and by which call. */
class Told {
  readonly #list = new DenialList();
  readonly #watch = new StormWatch(TERMS);
  readonly #listed = new Map<string, ListedDenial>();
  #dropped = 0;

  /** Adds to the counts; `dropped` are calls like `lastDropped`. */
  at(seconds: number, counts: Readonly<Record<string, number>>, dropped = 0, lastDropped?: string): string | undefined {
    for (const [call, more] of Object.entries(counts)) {
      const known = this.#listed.get(call);
      if (known) known.setCount(known.count + more);
      else this.#listed.set(call, this.#list.add(denial(call, more)));
    }
    this.#dropped += dropped;
    const cause = this.#watch.take({
      atUs: seconds * 1_000_000,
      listed: [...this.#listed.values()],
      dropped: this.#dropped,
      lastDropped: this.#listed.get(lastDropped ?? ''),
    });
    return cause?.counted.call;
  }
}

function denial(call: string, count: number) {
  return {
    call,
    number: 1,
    architecture: 'x86_64',
    action: 'refused' as const,
    errno: 'EPERM',
    arguments: [],
    description: `${call}()`,
    count,
  };
}

describe('a payload that is refused calls', () => {
  it('spins once the rate was reached in each of so many seconds, by the call that grew most', () => {
    const told = new Told();
    expect(told.at(0, { getppid: 1 })).toBeUndefined();
    expect(told.at(1, { getppid: 60, pause: 50 })).toBeUndefined();
    expect(told.at(2, { getppid: 60, pause: 50 })).toBeUndefined();
    expect(told.at(3, { getppid: 60, pause: 50 })).toBe('getppid');
  });

  it('spins at exactly the rate, and not below it', () => {
    const [at, below] = [new Told(), new Told()];
    const found = [1, 2, 3, 4, 5].map((second) => [at.at(second, { pause: 100 }), below.at(second, { pause: 99 })]);
    expect(found).toEqual([
      [undefined, undefined],
      [undefined, undefined],
      ...[3, 4, 5].map(() => ['pause', undefined]),
    ]);
  });

  it('does not spin where one second was quieter, however many calls there were', () => {
    const told = new Told();
    const found = [1, 2, 3, 4, 5, 6].map((second) => told.at(second, { pause: second % 3 === 0 ? 1 : 1_000_000 }));
    expect(found).toEqual(Array(6).fill(undefined));
  });

  it('does not spin where the calls came before a pause, which belongs to the time until the next', () => {
    const told = new Told();
    told.at(0.5, { pause: 5_000 });
    expect(told.at(60, { pause: 1_000 })).toBeUndefined();
    expect(told.at(61, { pause: 1_000 })).toBeUndefined();
    expect(told.at(62, { pause: 1_000 })).toBeUndefined();
    expect(told.at(63, { pause: 1_000 })).toBe('pause');
  });

  it('goes by the time that passed, not by how often it was told', () => {
    const told = new Told();
    const found = Array.from({ length: 25 }, (_, index) => told.at((index + 1) / 10, { pause: 10 }));
    expect(found).toEqual(Array(25).fill(undefined));
    expect(told.at(3.1, { pause: 60 })).toBe('pause');
  });

  it('spins with calls that are no longer told apart, and is told by whichever was dropped', () => {
    const told = new Told();
    told.at(1, { getppid: 150, mkdir: 1 });
    told.at(2, { getppid: 1 }, 1_000, 'mkdir');
    expect(told.at(3, {}, 1_000, 'mkdir')).toBe('mkdir');
  });

  it('is told by what grew since it began to spin, not by what was denied before', () => {
    const told = new Told();
    told.at(1, { getppid: 1_000_000 });
    told.at(2, { getppid: 1 });
    for (const second of [3, 4]) expect(told.at(second, { pause: 200 })).toBeUndefined();
    expect(told.at(5, { pause: 200 })).toBe('pause');
  });
});
