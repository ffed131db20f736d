/** Holds the filter compiler's argument conditions to libseccomp, over both programs, and to the kernel, over live calls. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ARCHITECTURES,
  type Architecture,
  argumentWidth,
  AUDIT_ARCH,
  byName,
  compileFilter,
  COMPARISONS,
  type Condition,
  encodeProgram,
  type Hex,
  type Instruction,
  interpret,
  nodeArchitecture,
  type Rule,
  SECCOMP_RET_ALLOW,
  syscallNames,
  syscallNumber,
} from '#lib/profiles';
import { compileOracle, libseccompProgram, rulesOf } from '../support/libseccomp.js';

const hex = (value: bigint): Hex => `0x${value.toString(16)}`;
const rule = (name: string, ...args: Condition[]): Rule => ({ names: [name], action: 'SCMP_ACT_ALLOW', args });
const LIVE = '.porin/native/live-filter';
const LAST = (1n << 64n) - 1n;
const BOUNDARIES = [
  0n,
  1n,
  (1n << 31n) - 1n,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 32n,
  (1n << 32n) + 1n,
  1n << 63n,
  LAST,
];
const GARBAGE = [0n, 1n << 32n, 0xdeadbeefn << 32n, 1n << 63n];

function compile(architecture: Architecture, rules: readonly Rule[]): readonly Instruction[] {
  const engineDefault = syscallNames(architecture);
  return compileFilter({ enforcement: 'enforce', architecture, rules, ceiling: [], engineDefault }).filter;
}

/** The value and its neighbours, the boundaries, and everything above a low word. */
function around(value: bigint): readonly bigint[] {
  const near = [value - 1n, value, value + 1n, ...BOUNDARIES];
  return [...new Set(near.flatMap((low) => GARBAGE.map((high) => BigInt.asUintN(64, low ^ high))))];
}

function made(program: readonly Instruction[], architecture: Architecture, name: string, args: readonly bigint[]) {
  const nr = syscallNumber(architecture, name) ?? -1;
  const data = { nr, arch: AUDIT_ARCH[architecture], instructionPointer: 0n, args };
  return interpret(program, data) === SECCOMP_RET_ALLOW;
}

/** Conditions as the tests need them: every comparison, values at the boundaries of the argument's width. */
function conditionsOn(name: string, argument: number): readonly Condition[] {
  const all = (1n << BigInt(argumentWidth(name, argument) ?? 0)) - 1n;
  const values = [...new Set([...BOUNDARIES, 40n, 0x12345678n, 0x89abcdef_01234567n].filter((value) => value <= all))];
  return values.flatMap((value) =>
    COMPARISONS.flatMap((op): Condition[] =>
      op === 'SCMP_CMP_MASKED_EQ'
        ? [all, value, value | 0xff00n]
            .filter((mask) => mask !== 0n)
            .map((mask) => ({ argument, op, value: hex(value), mask: hex(mask) }))
        : [{ argument, op, value: hex(value) }],
    ),
  );
}

/** A seeded linear congruential generator, so that a failure can be repeated. */
function random(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

/** One to four rules a call, one to three conditions a rule; on an argument of 64 bits one, as libseccomp wants it. */
function randomRules(next: () => number, names: readonly string[]): Rule[] {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  const conditions = new Map(
    names.map((name) => [
      name,
      [0, 1, 2, 3, 4, 5]
        .filter((index) => argumentWidth(name, index) !== null)
        .map((index) => conditionsOn(name, index)),
    ]),
  );
  const alternative = (name: string): Rule => {
    const args = Array.from({ length: 1 + Math.floor(next() * 3) }, () => pick(pick(conditions.get(name) ?? [])));
    const isFirst = (condition: Condition, index: number): boolean =>
      argumentWidth(name, condition.argument) === 32 ||
      args.findIndex(({ argument }) => argument === condition.argument) === index;
    return rule(name, ...args.filter(isFirst));
  };
  return names.flatMap((name) => Array.from({ length: 1 + Math.floor(next() * 4) }, () => alternative(name)));
}

function randomArguments(next: () => number, rules: readonly Rule[]): bigint[] {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  const values = rules.flatMap(({ args = [] }) => args.map(({ value }) => BigInt(value)));
  return Array.from({ length: 6 }, () => pick(around(pick([...values, 0n]))));
}

beforeAll(() => {
  compileOracle();
  const options = ['-Wall', '-Wextra', '-Werror', '-O1', '-o', LIVE];
  execFileSync('cc', [...options, 'test/support/live-filter.c']);
});

describe.each(ARCHITECTURES)('conditions against libseccomp for %s', (architecture) => {
  function differences(rules: readonly Rule[], calls: readonly (readonly [name: string, args: readonly bigint[]])[]) {
    const ours = compile(architecture, rules);
    const lines = [...byName(rules)].flatMap(([name, alternatives]) => rulesOf(name, alternatives));
    const theirs = libseccompProgram(architecture, lines);
    const different = calls.filter(
      ([name, args]) => made(ours, architecture, name, args) !== made(theirs, architecture, name, args),
    );
    return different.map(([name, args]) => ({
      rules,
      call: `${name}(${args.map(hex).join(', ')})`,
      ours: made(ours, architecture, name, args),
    }));
  }

  it.each(COMPARISONS)('decide alike at every boundary: %s', (op) => {
    for (const [name, argument] of [
      ['fcntl', 1],
      ['brk', 0],
      ['lseek', 1],
      ['lseek', 2],
      ['mremap', 3],
    ] as const) {
      for (const condition of conditionsOn(name, argument).filter((condition) => condition.op === op)) {
        const calls = around(BigInt(condition.value)).map(
          (value) => [name, [0n, 0n, 0n, 0n, 0n, 0n].with(argument, value)] as const,
        );
        expect(differences([rule(name, condition)], calls)).toEqual([]);
      }
    }
  });

  /**
   * libseccomp merges every pattern of 32-bit conditions into one tree, and takes minutes for hundreds of them. Of rules
   * that order one argument of 64 bits it loses some: 2.5.4 refuses 0x7fffffff to "LE 0x100000000" beside "LE 0x1".
   */
  function forLibseccomp(rules: readonly Rule[]): readonly Rule[] {
    const ordered = new Set<string>();
    return rules.filter(({ names: [name = ''], args = [] }) => {
      const mine = args
        .filter(({ argument, op }) => argumentWidth(name, argument) === 64 && /_[LG][TE]$/.test(op))
        .map(({ argument }) => `${name} ${argument}`);
      if (mine.some((place) => ordered.has(place)) || rulesOf(name, [args]).length > 40) return false;
      mine.forEach((place) => ordered.add(place));
      return true;
    });
  }

  it.each(Array.from({ length: 24 }, (_, seed) => seed))('decide alike in random sets of rules, %i', (seed) => {
    const next = random(seed);
    const rules = forLibseccomp(
      randomRules(next, ['fcntl', 'lseek', 'socket', 'clone', 'mremap', 'personality', 'fallocate']),
    );
    const names = [...byName(rules).keys()];
    const calls = Array.from({ length: 4000 }, (_, round) => {
      const name = names[round % names.length] as string;
      return [name, randomArguments(next, rules)] as const;
    });
    expect(differences(rules, calls).slice(0, 3)).toEqual([]);
  });
});

describe('conditions in the kernel', () => {
  const architecture = nodeArchitecture(process.arch);

  /** Nothing comes of them: no such descriptor, or a question. */
  const HARMLESS = ['fcntl', 'lseek', 'dup3', 'fchown', 'fallocate', 'getpriority', 'ioprio_get', 'ftruncate'];

  it.each([1, 2, 3, 4])('are held as the interpreter holds them, in random sets of rules, %i', (seed) => {
    const next = random(1000 + seed);
    const rules = randomRules(next, HARMLESS);
    const program = compile(architecture, rules);
    const calls = Array.from({ length: 8000 }, (_, round) => {
      const name = HARMLESS[round % HARMLESS.length] as string;
      const args = randomArguments(next, rules);
      const hasDescriptor = !['getpriority', 'ioprio_get'].includes(name);
      return { name, args: hasDescriptor ? args.with(0, (args[0] ?? 0n) | 0x7fffff00n) : args };
    });
    const file = `.porin/native/live-${seed}.bpf`;
    writeFileSync(file, encodeProgram(program));
    const input = calls.map(
      ({ name, args }) =>
        `${[BigInt(syscallNumber(architecture, name) ?? 0), ...args].map((word) => word.toString(16)).join(' ')}\n`,
    );
    const results = execFileSync(LIVE, [file], { input: input.join('') })
      .toString()
      .trimEnd()
      .split('\n');
    const outcomes = calls.map(({ name, args }, index) => ({
      ...{ name, args, live: results[index] === '1' },
      interpreted: made(program, architecture, name, args),
    }));
    expect(outcomes).toHaveLength(results.length);
    expect(outcomes.filter(({ live, interpreted }) => live !== interpreted)).toEqual([]);
    expect(new Set(outcomes.map(({ live }) => live)).size).toBe(2);
  });
});
