/** Holds the filter compiler to libseccomp: the same rules through both, then both programs over every number and argument. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ALWAYS_ALLOWED,
  ARCHITECTURES,
  AUDIT_ARCH,
  type Architecture,
  DEFAULT_CEILING,
  type Enforcement,
  type Instruction,
  callClass,
  compileFilter,
  disassemble,
  engineDefaultNames,
  guardOf,
  interpret,
  isQuietlyRefusable,
  plainRules,
  refusalErrno,
  syscallName,
  syscallNames,
  syscallNumber,
} from '#lib/profiles';
import { compileOracle, libseccompProgram, libseccompTable, rulesOf } from '../support/libseccomp.js';

/** SECCOMP_RET_ERRNO with it. */
const ERRNO = { EPERM: 0x00050001, ENOSYS: 0x00050026 } as const;
const I386 = 0x40000003;
const ARM = 0x40000028;

/** A seeded linear congruential generator, so that a failure can be repeated. */
function random(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

const NUMBERS = [
  ...Array.from({ length: 1024 }, (_, number) => number),
  ...Array.from({ length: 1024 }, (_, number) => 0x40000000 + number),
  ...[-1, -2, 0x3fffffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff],
];
const LOW_WORDS = [
  ...[0n, 1n, 2n, 3n, 8n, 39n, 40n, 41n, 4711n, 0x20000n, 0x20008n, 0x20001n, 0x10000000n, 0x7e020000n],
  ...[0x003d0f00n, 0x01200011n, 0x7fffffffn, 0x80000000n, 0x80000001n, 0xfffffffen, 0xffffffffn],
];
const VALUES = LOW_WORDS.flatMap((low) => [low, low | 0xdeadbeef_00000000n, low | 0x1_00000000n]);

/** `quiet`: what the kernel answers itself, by number; libseccomp has rules for everything else. */
function difference(
  architecture: Architecture,
  ours: readonly Instruction[],
  theirs: readonly Instruction[],
  quiet: ReadonlyMap<number, number>,
): string | undefined {
  const compare = (arch: number, nr: number, args: readonly bigint[]): string | undefined => {
    const data = { nr, arch, instructionPointer: 0x1234n, args };
    const answered = arch === AUDIT_ARCH[architecture] ? quiet.get(nr) : undefined;
    const [mine, other] = [interpret(ours, data), answered ?? interpret(theirs, data)];
    if (mine === other) return undefined;
    const call = syscallName(architecture, nr) ?? nr;
    return `${arch.toString(16)} ${call}(${args.map((arg) => `0x${arg.toString(16)}`).join(', ')}): ours 0x${mine.toString(16)}, libseccomp 0x${other.toString(16)}`;
  };
  for (const nr of NUMBERS) {
    const name = syscallName(architecture, nr);
    const guarded = name !== undefined && guardOf(name) !== undefined;
    for (const first of guarded ? VALUES : [0n, 0xffffffff_ffffffffn]) {
      for (const second of guarded ? VALUES : [0n]) {
        const found = compare(AUDIT_ARCH[architecture], nr, [first, second, 0n, 0n, 0n, 0n]);
        if (found) return found;
      }
    }
    for (const foreign of [I386, ARM, AUDIT_ARCH[architecture === 'x86_64' ? 'aarch64' : 'x86_64']]) {
      const found = compare(foreign, nr, [0n, 0n, 0n, 0n, 0n, 0n]);
      if (found) return found;
    }
  }
  return undefined;
}

beforeAll(compileOracle);

describe.each(ARCHITECTURES)('the filter compiler against libseccomp for %s', (architecture) => {
  const engineDefault = engineDefaultNames(architecture);

  /** Compiles the same rules both ways, over calls that this libseccomp knows, and compares. */
  function check(enforcement: Enforcement, profile: readonly string[]): void {
    const known = libseccompTable(architecture);
    const ceiling = [...DEFAULT_CEILING, ...syscallNames(architecture).filter((name) => !known.has(name))];
    const rules = enforcement === 'none' ? null : plainRules(profile);
    const ours = compileFilter({ enforcement, architecture, rules, ceiling, engineDefault });
    const isOpen = (name: string): boolean =>
      enforcement === 'none' || (enforcement === 'audit' && callClass(name) !== 'dangerous');
    const granted = syscallNames(architecture).filter(
      (name) =>
        ALWAYS_ALLOWED.includes(name) ||
        (!ceiling.includes(name) && engineDefault.includes(name) && (isOpen(name) || profile.includes(name))),
    );
    const quiet = new Map(
      syscallNames(architecture)
        .filter((name) => enforcement !== 'enforce' && isQuietlyRefusable(name) && !granted.includes(name))
        .map((name) => [syscallNumber(architecture, name) ?? -1, ERRNO[refusalErrno(name)]] as const),
    );
    const theirs = libseccompProgram(
      architecture,
      granted.flatMap((name) => rulesOf(name)),
    );
    const found = difference(architecture, ours.filter, theirs, quiet);
    expect(found && `${found}\n${disassemble(ours.filter)}\n${disassemble(theirs)}`).toBeUndefined();
  }

  it('has the same number for every name that libseccomp knows', () => {
    const known = libseccompTable(architecture);
    expect(known.size).toBeGreaterThan(300);
    for (const [name, number] of known) expect([name, syscallNumber(architecture, name)]).toEqual([name, number]);
  });

  it('decides alike with the whole table as profile', () => {
    check('enforce', syscallNames(architecture));
  });

  it('decides alike with an empty profile', () => {
    check('audit', []);
  });

  it('decides alike with the ceiling alone', () => {
    check('none', []);
  });

  it.each([1, 2, 3, 4, 5, 6])('decides alike with random profile %i', (seed) => {
    const next = random(seed);
    const density = next();
    check(
      'enforce',
      syscallNames(architecture).filter(() => next() < density),
    );
  });
});
