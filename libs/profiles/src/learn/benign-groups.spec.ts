import { describe, expect, it } from 'vitest';
import { AWARE_ARGUMENTS } from './aware-arguments.js';
import { BENIGN_GROUPS, NEVER_HELD } from './benign-groups.js';

describe('the benign groups', () => {
  it('are of argument-aware calls, with a value for each argument within its mask', () => {
    for (const [call, groups] of Object.entries(BENIGN_GROUPS)) {
      const aware = AWARE_ARGUMENTS[call] ?? [];
      expect(NEVER_HELD.has(call)).toBe(false);
      for (const use of groups.flat()) {
        expect([call, use.length]).toEqual([call, aware.length]);
        use.forEach((value, index) => expect(BigInt(value) & ~BigInt(aware[index]?.mask ?? 0)).toBe(0n));
      }
      const all = groups.flat().map(String);
      expect([call, new Set(all).size]).toEqual([call, all.length]);
    }
    for (const call of NEVER_HELD) expect(AWARE_ARGUMENTS).toHaveProperty(call);
  });
});
