import { describe, expect, it } from 'vitest';
import { growthAdvice, growthOf } from './growth.js';

const growth = (recordings: readonly (readonly string[])[]) => growthOf(recordings, 'families');

describe('the growth of what was seen', () => {
  it('counts the calls of each recording that no earlier one had', () => {
    const { newCalls } = growth([['socket', 'bind'], ['socket'], ['socket', 'connect', 'listen'], ['bind', 'connect']]);
    expect(newCalls).toEqual([2, 0, 2, 0]);
  });

  it('expects of the next recording as many new calls as each had that no other has, on average', () => {
    // connect and listen are in one recording alone; socket and bind are in more.
    expect(growth([['socket', 'bind'], ['socket', 'connect'], ['bind', 'listen'], ['socket']]).expected).toBe(2 / 4);
  });

  it('expects nothing new of recordings that are all alike', () => {
    const alike = growth([['socket'], ['socket'], ['socket']]);
    expect(alike).toEqual({ newCalls: [1, 0, 0], expected: 0, moreRuns: 0 });
    expect(growthAdvice(alike)).toBeNull();
  });

  it('takes no call for new that every profile holds, or that an earlier call brought with its family', () => {
    const recordings = [
      ['read', 'mkdir'],
      ['read', 'rename', 'futex'],
      ['read', 'mkdir', 'rename', 'socket'],
    ];
    expect(growthOf(recordings, 'families')).toMatchObject({ newCalls: [1, 0, 1], expected: 1 / 3 });
    expect(growthOf(recordings, 'seen').newCalls).toEqual([1, 1, 1]);
  });

  it('says nothing about the next recording from fewer than two', () => {
    expect(growth([])).toEqual({ newCalls: [], expected: null, moreRuns: 0 });
    expect(growthAdvice(growth([]))).toBeNull();
    expect(growthAdvice(growth([['socket']]))).toBe(
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
    const recordings = Array.from({ length: n }, () => ['socket']);
    recordings[0]?.push(...Array.from({ length: alone }, (_, index) => `call${index}`));
    expect(growth(recordings).moreRuns).toBe(moreRuns);
  });

  it('advises in words, by the last recording or by those before it', () => {
    expect(growthAdvice(growth([['socket'], ['socket'], ['socket', 'bind', 'connect']]))).toBe(
      'Still growing: the last recording brought 2 new calls; watch about 2 more runs before you approve.',
    );
    expect(growthAdvice(growth([['socket', 'a', 'b', 'c'], ['socket'], ['socket']]))).toBe(
      'Still growing: recordings have calls that no other has (3); watch about 4 more runs before you approve.',
    );
    expect(growthAdvice(growth([['socket'], ['socket', 'bind']]))).toMatch(
      /brought 1 new call; watch about 1 more run b/,
    );
  });
});
