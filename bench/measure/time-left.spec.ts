import { describe, expect, it } from 'vitest';
import { timeLeftMs } from './time-left.js';

const done = [
  { program: 'tar', slot: 'none', ms: 1000 },
  { program: 'tar', slot: 'none', ms: 2000 },
  { program: 'tar', slot: 'strace', ms: 30_000 },
] as const;

describe('timeLeftMs', () => {
  it('takes every kind of run for as long as it took so far', () => {
    const rest = [
      { program: 'tar', slot: 'none' },
      { program: 'tar', slot: 'none' },
      { program: 'tar', slot: 'strace' },
    ] as const;
    expect(timeLeftMs(rest, done)).toBe(33_000);
    expect(timeLeftMs([], done)).toBe(0);
  });

  it('takes a kind that was not seen yet for an average one', () => {
    expect(timeLeftMs([{ program: 'shell', slot: 'strace' }], done)).toBe(11_000);
  });

  it('does not know before the first run', () => {
    expect(timeLeftMs([{ program: 'tar', slot: 'none' }], [])).toBeUndefined();
  });
});
