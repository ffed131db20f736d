import { describe, expect, it } from 'vitest';
import { type Comparison, COMPARISONS, type Condition, type Hex } from '../model/condition.js';
import { argumentWidth } from '../kernel/argument-widths.js';
import { ARCHITECTURES, type Architecture, type Rule } from '../model/profile.js';
import { DEFAULT_CEILING } from './ceiling.js';
import { compileFilter, type FilterOptions } from './compile.js';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { refusalErrno } from './eperm.js';
import { guardOf } from './guards.js';
import { type CompiledFilter } from './instruction.js';
import { interpret } from './interpret.js';
import { syscallNumber } from '../kernel/syscalls.js';

const ALLOW = 0x7fff0000;
const NOTIFY = 0x7fc00000;
const ARCH = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };

const hex = (value: bigint): Hex => `0x${value.toString(16)}`;
const rule = (name: string, ...args: Condition[]): Rule => ({ names: [name], action: 'SCMP_ACT_ALLOW', args });

function compile(architecture: Architecture, rules: readonly Rule[], options: Partial<FilterOptions> = {}) {
  return compileFilter({
    enforcement: 'enforce',
    ceiling: DEFAULT_CEILING,
    engineDefault: engineDefaultNames(architecture),
    ...options,
    architecture,
    rules,
  });
}

function run(
  architecture: Architecture,
  { filter, answer }: CompiledFilter,
  name: string,
  args: readonly bigint[],
): string {
  const nr = syscallNumber(architecture, name) ?? -1;
  const data = { nr, arch: ARCH[architecture], instructionPointer: 0n, args };
  const first = interpret(filter, data);
  if (first === ALLOW) return 'made';
  expect(first).toBe(NOTIFY);
  const second = interpret(answer, data);
  return second === ALLOW ? 'continued' : second === 0x00050001 ? 'EPERM' : second === 0x00050026 ? 'ENOSYS' : 'wrong';
}

/** What a condition means, from its words alone. */
function holds(name: string, { argument, op, value, mask }: Condition, args: readonly bigint[]): boolean {
  const width = argumentWidth(name, argument) ?? 0;
  const [is, datum] = [BigInt.asUintN(width, args[argument] ?? 0n), BigInt(value)];
  const outcomes: Record<Comparison, boolean> = {
    SCMP_CMP_NE: is !== datum,
    SCMP_CMP_LT: is < datum,
    SCMP_CMP_LE: is <= datum,
    SCMP_CMP_EQ: is === datum,
    SCMP_CMP_GE: is >= datum,
    SCMP_CMP_GT: is > datum,
    SCMP_CMP_MASKED_EQ: (is & BigInt(mask ?? 0)) === datum,
  };
  return outcomes[op];
}

function permitted(rules: readonly Rule[], name: string, args: readonly bigint[]): boolean {
  const guard = guardOf(name)?.anyOf ?? [[]];
  return [guard, rules.filter(({ names }) => names.includes(name)).map((other) => other.args ?? [])].every((anyOf) =>
    anyOf.some((conditions) => conditions.every((condition) => holds(name, condition, args))),
  );
}

/** Around a value, the ends of the words, and garbage above the low one. */
function around(value: bigint): readonly bigint[] {
  const near = [
    0n,
    1n,
    value - 1n,
    value,
    value + 1n,
    1n << 31n,
    (1n << 32n) - 1n,
    1n << 32n,
    1n << 63n,
    (1n << 64n) - 1n,
  ];
  const all = [...near, value ^ (1n << 32n), value ^ (1n << 63n), value | (0xdeadbeefn << 32n), value & 0xffffffffn];
  return [...new Set(all.map((other) => BigInt.asUintN(64, other)))];
}

const VALUES = [
  1n,
  2n,
  0x7fffffffn,
  0x80000000n,
  0xfffffffen,
  1n << 32n,
  (5n << 32n) | 7n,
  1n << 63n,
  (1n << 64n) - 2n,
];

describe.each(ARCHITECTURES)('conditions in a filter for %s', (architecture) => {
  it.each(COMPARISONS)('compare all that the kernel reads of an argument, and no more: %s', (op) => {
    for (const [name, argument] of [
      ['fcntl', 1],
      ['brk', 0],
      ['lseek', 1],
      ['lseek', 2],
    ] as const) {
      const wide = argumentWidth(name, argument) === 64;
      for (const value of VALUES.filter((value) => wide || value < 1n << 32n)) {
        const masks =
          op === 'SCMP_CMP_MASKED_EQ' ? [value, value | 0xff00n, wide ? (1n << 64n) - 1n : 0xffffffffn] : [null];
        for (const mask of masks) {
          const condition: Condition = { argument, op, value: hex(value), ...(mask !== null && { mask: hex(mask) }) };
          const compiled = compile(architecture, [rule(name, condition)]);
          for (const given of around(value)) {
            const args = [0n, 0n, 0n, 0n, 0n, 0n].with(argument, given);
            const expected = holds(name, condition, args) ? 'made' : refusalErrno(name);
            expect([condition, hex(given), run(architecture, compiled, name, args)]).toEqual([
              condition,
              hex(given),
              expected,
            ]);
          }
        }
      }
    }
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('decide as their words say, in random sets of rules, %i', (seed) => {
    const next = random(seed);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)]!;
    const names = ['fcntl', 'lseek', 'socket', 'clone', 'prlimit64', 'mremap', 'personality', 'fallocate'];
    const condition = (name: string): Condition => {
      const scalars = [0, 1, 2, 3, 4, 5].filter((argument) => argumentWidth(name, argument) !== null);
      const argument = pick(scalars);
      const all = (1n << BigInt(argumentWidth(name, argument) ?? 0)) - 1n;
      const value = pick([...VALUES, 3n, 8n, 40n]) & all;
      const op = pick(COMPARISONS);
      if (op !== 'SCMP_CMP_MASKED_EQ') return { argument, op, value: hex(value) };
      const mask = pick([all, value | 1n, 0xf0n, 0xff00000000n & all || 1n]);
      return { argument, op, value: hex(value & mask), mask: hex(mask) };
    };
    const rules = names.flatMap((name) =>
      Array.from({ length: 1 + Math.floor(next() * 5) }, () =>
        rule(name, ...Array.from({ length: 1 + Math.floor(next() * 4) }, () => condition(name))),
      ),
    );
    const compiled = compile(architecture, rules);
    const audited = compile(architecture, rules, { enforcement: 'audit' });
    const traced = compile(architecture, rules, { notifyAll: true });
    for (const name of names) {
      const values = [
        ...new Set([...VALUES, 40n, ...rules.flatMap(({ args = [] }) => args.map(({ value }) => BigInt(value)))]),
      ];
      for (let round = 0; round < 400; round++) {
        const args = Array.from({ length: 6 }, () => pick(around(pick(values))));
        const made = permitted(rules, name, args);
        const guarded = (guardOf(name)?.anyOf ?? [[]]).some((all) => all.every((guard) => holds(name, guard, args)));
        const refused = refusalErrno(name);
        expect([name, args, run(architecture, compiled, name, args)]).toEqual([name, args, made ? 'made' : refused]);
        expect([name, args, run(architecture, audited, name, args)]).toEqual([
          ...[name, args],
          guarded ? 'made' : refused,
        ]);
        expect(run(architecture, traced, name, args)).toBe(made ? 'continued' : refused);
      }
    }
  });

  it('leave the programs of calls without conditions to the bitmap of the kernel', () => {
    const plain: Rule = { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' };
    const { filter } = compile(architecture, [plain, rule('fcntl', { argument: 1, op: 'SCMP_CMP_EQ', value: '0x3' })]);
    const loads = (name: string): number => {
      let count = 0;
      const counting = new Proxy(filter, {
        get: (target, key) => {
          const item = Reflect.get(target, key) as { code?: number; k?: number } | undefined;
          if (item?.code === 0x20 && (item.k ?? 0) >= 8) count++;
          return item;
        },
      });
      interpret(counting, {
        ...{ nr: syscallNumber(architecture, name) ?? -1, arch: ARCH[architecture] },
        ...{ instructionPointer: 0n, args: [] },
      });
      return count;
    };
    expect([loads('read'), loads('write'), loads('close'), loads('fcntl')]).toEqual([0, 0, 0, 1]);
  });

  it('compile alike in any order, split over rules in any way, and repeated', () => {
    const [one, two]: Condition[] = [
      { argument: 0, op: 'SCMP_CMP_EQ', value: '0x1' },
      { argument: 1, op: 'SCMP_CMP_EQ', value: '0x2' },
    ];
    const rules = [rule('socket', one!, two!), rule('socket', two!), rule('socketpair', one!, two!)];
    const other = [rule('socket', two!), { ...rule('socket', two!, one!, two!), names: ['socket', 'socketpair'] }];
    expect(compile(architecture, other)).toEqual(compile(architecture, rules));
  });

  it('keep every jump in range in an alternative of hundreds of conditions', () => {
    const values = Array.from({ length: 300 }, (_, index) => BigInt(2 * index));
    const unequal = values.map((value): Condition => ({ argument: 1, op: 'SCMP_CMP_NE', value: hex(value) }));
    const last: Condition = { argument: 0, op: 'SCMP_CMP_GT', value: '0x7' };
    const guarded = unequal.slice(1).map((condition): Condition => ({ ...condition, argument: 0 }));
    const compiled = compile(architecture, [
      rule('lseek', ...unequal),
      rule('lseek', last),
      rule('prlimit64', ...guarded),
    ]);
    for (const value of [0n, 1n, 2n, 597n, 598n, 599n, 600n]) {
      for (const fd of [0n, 8n]) {
        const args = [fd, value, 0n, 0n, 0n, 0n];
        const made = fd === 8n || value % 2n === 1n || value >= 600n;
        expect([args, run(architecture, compiled, 'lseek', args)]).toEqual([args, made ? 'made' : 'ENOSYS']);
      }
      const allowed = value === 0n || (value !== 1n && (value % 2n === 1n || value >= 600n));
      const refused = refusalErrno('prlimit64');
      expect([value, run(architecture, compiled, 'prlimit64', [value])]).toEqual([value, allowed ? 'made' : refused]);
    }
  });

  it('are too many beyond 4096 instructions, with the call that has most of them', () => {
    const rules = Array.from({ length: 1200 }, (_, index) =>
      rule('lseek', { argument: 1, op: 'SCMP_CMP_EQ', value: hex(BigInt(index) << 20n) }),
    );
    expect(() =>
      compile(architecture, [...rules, rule('fcntl', { argument: 1, op: 'SCMP_CMP_EQ', value: '0x1' })]),
    ).toThrow(
      expect.objectContaining({
        ...{ code: 'TOO_LARGE', syscalls: ['lseek'] },
        message: expect.stringMatching(/has \d{4} instructions.*4096.*"lseek".*\d{4}/),
      }),
    );
  });

  it.each<[string, Condition]>([
    ['open_by_handle_at', { argument: 1, op: 'SCMP_CMP_EQ', value: '0x1' }],
    ['fcntl', { argument: 2, op: 'SCMP_CMP_EQ', value: '0x1' }],
    ['fcntl', { argument: 1, op: 'SCMP_CMP_EQ', value: '0x100000000' }],
    ['fcntl', { argument: 1, op: 'SCMP_CMP_MASKED_EQ', value: '0x2', mask: '0x1' }],
    ['getpid', { argument: 0, op: 'SCMP_CMP_EQ', value: '0x1' }],
  ])('are refused where they cannot be held: %s', (name, condition) => {
    const options = { engineDefault: [...engineDefaultNames(architecture), name], ceiling: [] };
    expect(() => compile(architecture, [rule(name, condition)], options)).toThrow(
      expect.objectContaining({ code: 'INVALID_CONDITION', syscalls: [name] }),
    );
  });
});

/** A seeded linear congruential generator, so that a failure can be repeated. */
function random(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}
