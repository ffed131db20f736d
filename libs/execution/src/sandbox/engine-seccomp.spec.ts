import { describe, expect, it } from 'vitest';
import { engineSeccomp } from './engine-seccomp.js';

/** The errno libseccomp's semantics give: rules of a call are alternatives, each with one masked comparison. */
function errnoFor(call: string, argument: number): number | undefined {
  return engineSeccomp('x86_64').syscalls.find(
    ({ names, args = [] }) =>
      names.includes(call) &&
      args.every(({ value: mask, valueTwo }) => (BigInt(argument) & BigInt(mask)) === BigInt(valueTwo)),
  )?.errnoRet;
}

describe('engineSeccomp', () => {
  it('allows exactly the personalities of Docker’s default profile', () => {
    const allowed = [0, 0x8, 0x20000, 0x20008, 0xffffffff];
    const bits = Array.from({ length: 32 }, (_, bit) => 2 ** bit);
    const candidates = new Set([
      ...allowed,
      ...bits,
      ...bits.map((bit) => 0xffffffff - bit),
      ...bits.flatMap((bit) => bits.map((other) => (bit | other) >>> 0)),
      ...bits.flatMap((bit) => bits.map((other) => 0xffffffff - ((bit | other) >>> 0))),
      ...bits.map((bit) => bit - 1),
      ...bits.map((bit) => 0xffffffff - (bit - 1)),
    ]);
    const passing = [...candidates].filter((value) => errnoFor('personality', value) === undefined);
    expect(passing.sort((a, b) => a - b)).toEqual(allowed);
  });

  it('ignores garbage above the 32 bits that the kernel reads', () => {
    expect(errnoFor('personality', 2 ** 40)).toBeUndefined();
    expect(errnoFor('personality', 2 ** 40 + 0x40000)).toBe(1);
  });

  it('refuses clone with any namespace flag, alone or with others, and no thread', () => {
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
      expect(errnoFor('clone', flag)).toBe(1);
      expect(errnoFor('clone', flag + 0x10911)).toBe(1);
    }
    expect(errnoFor('clone', 0x3d0f00)).toBeUndefined();
    expect(errnoFor('clone', 17)).toBeUndefined();
  });

  it('makes libc fall back from clone3, and leaves every other call to porin-init’s filter', () => {
    expect(errnoFor('clone3', 0)).toBe(38);
    expect(new Set(engineSeccomp('x86_64').syscalls.flatMap(({ names }) => names))).toEqual(
      new Set(['clone', 'personality', 'clone3']),
    );
    expect(engineSeccomp('aarch64').architectures).toContain('SCMP_ARCH_AARCH64');
  });
});
