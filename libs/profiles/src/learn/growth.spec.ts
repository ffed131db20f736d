import { describe, expect, it } from 'vitest';
import { growthAdvice, growthOf, type Widening } from './growth.js';

const FAMILIES: Widening = {
  always: new Set(['futex']),
  broughtBy: (name) => (name === 'mkdir' ? ['rename', 'unlink'] : name === 'unlink' ? ['mkdir', 'rename'] : []),
};

describe('the growth of what was seen', () => {
  it('counts the calls of each recording that no earlier one had', () => {
    const { newCalls } = growthOf([['read', 'write'], ['read'], ['read', 'openat', 'close'], ['write', 'openat']]);
    expect(newCalls).toEqual([2, 0, 2, 0]);
  });

  it('expects of the next recording as many new calls as each had that no other has, on average', () => {
    // openat and close are in one recording alone; read and write are in two.
    expect(growthOf([['read', 'write'], ['read', 'openat'], ['write', 'close'], ['read']]).expected).toBe(2 / 4);
  });

  it('expects nothing new of recordings that are all alike', () => {
    const growth = growthOf([['read'], ['read'], ['read']]);
    expect(growth).toEqual({ newCalls: [1, 0, 0], expected: 0, moreRuns: 0 });
    expect(growthAdvice(growth)).toBeNull();
  });

  it('takes no call for new that every profile holds, or that an earlier call brought with its family', () => {
    const recordings = [
      ['read', 'mkdir'],
      ['read', 'unlink', 'futex'],
      ['read', 'mkdir', 'rename', 'socket'],
    ];
    expect(growthOf(recordings).newCalls).toEqual([2, 2, 2]);
    expect(growthOf(recordings, FAMILIES)).toMatchObject({ newCalls: [2, 0, 1], expected: 1 / 3 });
  });

  it('says nothing about the next recording from fewer than two', () => {
    expect(growthOf([])).toEqual({ newCalls: [], expected: null, moreRuns: 0 });
    expect(growthAdvice(growthOf([]))).toBeNull();
    expect(growthAdvice(growthOf([['read']]))).toBe(
      'One recording says nothing about the next: watch about 2 more runs before you approve.',
    );
  });

  it.each([
    [1, 3, 0],
    [2, 3, 2],
    [3, 3, 4],
    [3, 6, 1],
    [3, 7, 0],
    [50, 3, 20],
  ])('with %i calls in one of %i recordings alone asks for %i more runs', (alone, n, moreRuns) => {
    const recordings = Array.from({ length: n }, () => ['read']);
    recordings[0]?.push(...Array.from({ length: alone }, (_, index) => `call${index}`));
    expect(growthOf(recordings).moreRuns).toBe(moreRuns);
  });

  it('advises in words, by the last recording or by those before it', () => {
    expect(growthAdvice(growthOf([['read'], ['read'], ['read', 'write', 'openat']]))).toBe(
      'Still growing: the last recording brought 2 new calls; watch about 2 more runs before you approve.',
    );
    expect(growthAdvice(growthOf([['read', 'a', 'b', 'c'], ['read'], ['read']]))).toBe(
      'Still growing: recordings have calls that no other has (3); watch about 4 more runs before you approve.',
    );
    expect(growthAdvice(growthOf([['read'], ['read', 'write']]))).toMatch(
      /brought 1 new call; watch about 1 more run b/,
    );
  });
});
