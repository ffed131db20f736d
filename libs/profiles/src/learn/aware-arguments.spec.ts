import { expect, it } from 'vitest';
import { requireKnownAnywhere } from '../kernel/syscalls.js';
import { argumentWidth, CALLS_WITH_ARGUMENTS } from '../kernel/argument-widths.js';
import { AWARE_ARGUMENTS } from './aware-arguments.js';

it('names only calls that exist, as the width table does', () => {
  requireKnownAnywhere(Object.keys(AWARE_ARGUMENTS), 'the aware arguments');
  requireKnownAnywhere(CALLS_WITH_ARGUMENTS, 'the width table');
});

it('is about one to three scalar arguments of a call, ascending, within their width', () => {
  for (const [call, aware] of Object.entries(AWARE_ARGUMENTS)) {
    expect([call, aware.length >= 1 && aware.length <= 3]).toEqual([call, true]);
    aware.forEach(({ argument, mask }, index) => {
      const width = argumentWidth(call, argument);
      expect([call, argument, width]).toEqual([call, argument, expect.any(Number)]);
      expect(mask).toMatch(/^0x[1-9a-f][0-9a-f]{0,15}$/);
      expect(BigInt(mask) >> BigInt(width ?? 0)).toBe(0n);
      expect(argument).toBeGreaterThan(aware[index - 1]?.argument ?? -1);
    });
  }
});

it('keys on what tells uses apart, and on nothing that differs from run to run', () => {
  expect(AWARE_ARGUMENTS.socket).toEqual([
    { argument: 0, mask: '0xffffffff' },
    { argument: 1, mask: '0xfff7f7ff' },
    { argument: 2, mask: '0xffffffff' },
  ]);
  for (const [call, argument] of [
    ['mmap', 4],
    ['fcntl', 0],
    ['prlimit64', 0],
    ['setpriority', 1],
  ] as const) {
    expect(AWARE_ARGUMENTS[call]?.map((aware) => aware.argument)).not.toContain(argument);
  }
});
