import { describe, expect, it } from 'vitest';
import { TokenBuckets } from './token-buckets.js';

describe('token buckets', () => {
  it('let a burst of a minute through, then as many as fill up', () => {
    const buckets = new TokenBuckets(6);
    const burst = Array.from({ length: 7 }, () => buckets.take('a', 0));
    expect(burst.map(({ allowed }) => allowed)).toEqual([true, true, true, true, true, true, false]);
    expect(burst.at(-1)).toEqual({ allowed: false, remaining: 0, retryAfterS: 10, fullAfterS: 60 });
    expect(buckets.take('a', 9_000).allowed).toBe(false);
    expect(buckets.take('a', 10_000)).toEqual({ allowed: true, remaining: 0, retryAfterS: 0, fullAfterS: 60 });
    expect(buckets.look('a', 10_000_000).remaining).toBe(6);
  });

  it('are apart from one another, and looking takes nothing', () => {
    const buckets = new TokenBuckets(1);
    expect(buckets.look('a', 0).allowed).toBe(true);
    expect(buckets.take('a', 0).allowed).toBe(true);
    expect(buckets.take('a', 0).allowed).toBe(false);
    expect(buckets.take('b', 0).allowed).toBe(true);
  });

  it('remember a bounded number, those used last', () => {
    const buckets = new TokenBuckets(1, 2);
    for (const name of ['a', 'b', 'a', 'c']) buckets.take(name, 0);
    expect(buckets.look('a', 0).allowed).toBe(false);
    expect(buckets.look('c', 0).allowed).toBe(false);
    expect(buckets.look('b', 0).allowed).toBe(true);
  });
});
