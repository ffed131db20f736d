import { describe, expect, it } from 'vitest';
import { AUDIT_ARCH, SECCOMP_RET_ALLOW, SECCOMP_RET_DATA } from '../filter/bpf.js';
import { DEFAULT_CEILING } from '../filter/ceiling.js';
import { compileFilter } from '../filter/compile.js';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { ALWAYS_ALLOWED, guardOf, GUARDS } from '../filter/guards.js';
import { interpret } from '../filter/interpret.js';
import { syscallNames, syscallNumber } from '../kernel/syscalls.js';
import { plainRules } from '../model/argument-rules.js';
import { COMPARISONS, type Condition } from '../model/condition.js';
import { type Architecture, ARCHITECTURES, type Profile, type Rule } from '../model/profile.js';
import { exportOci, type OciSeccomp, type OciSyscall, RUNTIME_START_CALLS } from './oci.js';
import { type OciArgument } from './oci-arguments.js';

const profileOf = (architecture: Architecture, names: readonly string[]): Profile => ({
  version: 1,
  architecture,
  rules: names.length === 0 ? [] : [{ names: [...names].sort(), action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
});

/** What a runtime does with the profile: 0 for allowed, else the errno. */
function decide(oci: OciSeccomp, name: string, args: readonly bigint[]): number {
  const matches = ({ names, args: conditions = [] }: OciSyscall) =>
    names.includes(name) && conditions.every((condition) => holds(condition, args));
  const rule = oci.syscalls.find(matches);
  if (rule?.action === 'SCMP_ACT_ALLOW') return 0;
  return rule?.errnoRet ?? oci.defaultErrnoRet;
}

/** As libseccomp compares: 64 bits, unsigned. */
function holds({ index, value, valueTwo, op }: OciArgument, args: readonly bigint[]): boolean {
  const [argument, datum] = [args[index] ?? 0n, BigInt(value)];
  return {
    SCMP_CMP_NE: argument !== datum,
    SCMP_CMP_LT: argument < datum,
    SCMP_CMP_LE: argument <= datum,
    SCMP_CMP_EQ: argument === datum,
    SCMP_CMP_GE: argument >= datum,
    SCMP_CMP_GT: argument > datum,
    SCMP_CMP_MASKED_EQ: (argument & datum) === BigInt(valueTwo),
  }[op];
}

/** Values around everything that guards test, with and without garbage in the high word. */
const VALUES = [0, 1, 2, 3, 8, 39, 40, 41, 0x10000, 0x20000, 0x20008, 0x7fffffff, 0x80000001, 0x7e020000, 0xffffffff]
  .map(BigInt)
  .flatMap((low) => [low, low | (1n << 32n), low | (0xdeadbeefn << 32n)]);

describe.each(ARCHITECTURES)('the OCI export of a profile of %s', (architecture) => {
  const all = syscallNames(architecture);
  const options = { architecture, ceiling: DEFAULT_CEILING, engineDefault: engineDefaultNames(architecture) };

  it.each([
    ['every call', all],
    ['every third call', all.filter((_name, index) => index % 3 === 0)],
    ['no call', []],
  ])('lets through what the filter lets through, for %s', (_words, allowed) => {
    const oci = exportOci(profileOf(architecture, allowed), { runtimeCalls: [] });
    const { filter, answer } = compileFilter({ ...options, enforcement: 'enforce', rules: plainRules(allowed) });
    const wrong: string[] = [];
    for (const name of all) {
      const guarded = guardOf(name) !== undefined;
      for (const first of guarded ? VALUES : [0n]) {
        for (const second of guarded ? VALUES : [0n]) {
          const args = [first, second, 0n, 0n, 0n, 0n];
          const call = {
            nr: syscallNumber(architecture, name)!,
            arch: AUDIT_ARCH[architecture],
            instructionPointer: 0n,
            args,
          };
          const loaded = interpret(filter, call);
          const errno = loaded === SECCOMP_RET_ALLOW ? 0 : interpret(answer, call) & SECCOMP_RET_DATA;
          const exported = decide(oci, name, args);
          // A guard that fails gets the default errno: the format has no "otherwise" for one name.
          const same = guarded ? (exported === 0) === (errno === 0) : exported === errno;
          if (!same) wrong.push(`${name}(${first}, ${second}): filter ${errno}, export ${exported}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  const conditional = (name: string, ...args: Condition[]): Rule => ({ names: [name], action: 'SCMP_ACT_ALLOW', args });
  const RULES: readonly Rule[] = [
    ...COMPARISONS.filter((op) => op !== 'SCMP_CMP_MASKED_EQ').flatMap((op, index) => [
      conditional(['fcntl', 'ioctl', 'futex', 'epoll_ctl', 'madvise', 'lseek'][index]!, {
        ...{ argument: [1, 1, 1, 1, 2, 2][index]!, op, value: '0x20' },
      }),
      conditional(['brk', 'getcwd', 'munmap', 'msync', 'mlock', 'munlock'][index]!, {
        ...{ argument: [0, 1, 1, 1, 1, 1][index]!, op, value: '0x100000000' },
      }),
    ]),
    conditional('mprotect', { argument: 2, op: 'SCMP_CMP_MASKED_EQ', mask: '0x6', value: '0x2' }),
    conditional('mprotect', { argument: 2, op: 'SCMP_CMP_MASKED_EQ', mask: '0x2', value: '0x0' }),
    conditional('mremap', { argument: 3, op: 'SCMP_CMP_MASKED_EQ', mask: '0xffffffff00', value: '0x100' }),
    conditional(
      'dup3',
      { argument: 0, op: 'SCMP_CMP_GT', value: '0x2' },
      { argument: 0, op: 'SCMP_CMP_LT', value: '0x400' },
      { argument: 0, op: 'SCMP_CMP_NE', value: '0x20' },
      { argument: 2, op: 'SCMP_CMP_EQ', value: '0x80000' },
    ),
    conditional('personality', { argument: 0, op: 'SCMP_CMP_LE', value: '0x8' }),
    conditional('clone', { argument: 0, op: 'SCMP_CMP_MASKED_EQ', mask: '0xffffff00', value: '0x1200000' }),
    conditional('socket', { argument: 0, op: 'SCMP_CMP_EQ', value: '0x1' }),
    conditional(
      'socket',
      { argument: 0, op: 'SCMP_CMP_GE', value: '0x26' },
      { argument: 1, op: 'SCMP_CMP_EQ', value: '0x1' },
    ),
    conditional('prlimit64', { argument: 1, op: 'SCMP_CMP_EQ', value: '0x7' }),
  ];
  const names = [...new Set(RULES.flatMap((rule) => rule.names))];

  it.each(names)('holds the conditions on %s as the filter does', (name) => {
    const rules = RULES.filter((rule) => rule.names.includes(name));
    const oci = exportOci({ ...profileOf(architecture, []), rules }, { runtimeCalls: [] });
    expect(oci.syscalls.filter(({ comment }) => comment !== undefined)).toEqual([]);
    const { filter } = compileFilter({ ...options, enforcement: 'enforce', rules });
    const used = [...new Set(rules.flatMap(({ args = [] }) => args.map(({ argument }) => argument)))];
    const guarded = guardOf(name)?.anyOf.flatMap((all) => all.map(({ argument }) => argument)) ?? [];
    const places = [...new Set([...used, ...guarded])];
    const words = [
      ...VALUES,
      7n,
      31n,
      32n,
      33n,
      0x100n,
      0x3ffn,
      0x400n,
      0x80000n,
      0x1200011n,
      (1n << 32n) - 1n,
      (1n << 32n) + 1n,
    ];
    const calls = places.reduce<bigint[][]>(
      (all, place) => all.flatMap((args) => words.map((word) => args.with(place, word))),
      [[0n, 0n, 0n, 0n, 0n, 0n]],
    );
    const outcomes = calls.map((args) => {
      const nr = syscallNumber(architecture, name)!;
      const made = interpret(filter, { nr, arch: AUDIT_ARCH[architecture], instructionPointer: 0n, args });
      return { args, made: made === SECCOMP_RET_ALLOW, exported: decide(oci, name, args) === 0 };
    });
    expect(outcomes.filter(({ made, exported }) => made !== exported)).toEqual([]);
    expect(new Set(outcomes.map(({ made }) => made)).size).toBe(2);
  });

  it.each<[string, Rule[]]>([
    ['a number beyond 2^53', [conditional('brk', { argument: 0, op: 'SCMP_CMP_LE', value: '0x7fffffffffffffff' })]],
    [
      'two conditions on one argument of 64 bits',
      [
        conditional(
          'brk',
          { argument: 0, op: 'SCMP_CMP_GE', value: '0x1000' },
          { argument: 0, op: 'SCMP_CMP_LE', value: '0x2000' },
        ),
      ],
    ],
    [
      'thousands of patterns',
      [
        conditional(
          'fchown',
          { argument: 0, op: 'SCMP_CMP_NE', value: '0x1' },
          { argument: 1, op: 'SCMP_CMP_NE', value: '0x1' },
          { argument: 2, op: 'SCMP_CMP_NE', value: '0x1' },
        ),
      ],
    ],
  ])('leaves out what the format cannot say, %s, and says so', (_words, rules) => {
    const [name = ''] = rules[0]!.names;
    const oci = exportOci({ ...profileOf(architecture, []), rules }, { runtimeCalls: [] });
    const rule = oci.syscalls.find(({ names }) => names.includes(name));
    expect(rule).toMatchObject({ action: 'SCMP_ACT_ERRNO', comment: expect.stringContaining('cannot say') });
    const second: Rule = conditional(name, { argument: 0, op: 'SCMP_CMP_EQ', value: '0x5' });
    const wider = exportOci({ ...profileOf(architecture, []), rules: [...rules, second] }, { runtimeCalls: [] });
    expect(decide(wider, name, [5n])).toBe(0);
    expect(decide(wider, name, [0x1800n, 2n, 2n])).not.toBe(0);
    expect(wider.syscalls.find(({ names }) => names.includes(name))).toHaveProperty('comment');
  });

  it('always lets programs end, and the runtime start them', () => {
    const oci = exportOci(profileOf(architecture, []));
    for (const name of [...ALWAYS_ALLOWED, ...RUNTIME_START_CALLS]) {
      if (syscallNumber(architecture, name) !== undefined) expect(decide(oci, name, [])).toBe(0);
    }
  });

  it('tests an argument once in a rule: runc reads a second test of the same one as an alternative', () => {
    const oci = exportOci(profileOf(architecture, all));
    for (const { args = [] } of oci.syscalls) {
      expect(new Set(args.map(({ index }) => index)).size).toBe(args.length);
    }
  });

  it('gives no name two unconditional rules, nor one beside conditions', () => {
    for (const names of [all, ['read', ...GUARDS.flatMap((guard) => guard.names)]]) {
      const { syscalls } = exportOci(profileOf(architecture, names));
      const plain = syscalls.filter(({ args }) => !args).flatMap(({ names }) => names);
      expect(new Set(plain).size).toBe(plain.length);
      const conditional = new Set(syscalls.filter(({ args }) => args).flatMap(({ names }) => names));
      expect(plain.filter((name) => conditional.has(name))).toEqual([]);
    }
  });
});

it('refuses names that the architecture does not have', () => {
  expect(() => exportOci(profileOf('aarch64', ['open']))).toThrow(
    expect.objectContaining({ code: 'UNKNOWN_SYSCALLS' }),
  );
});

it('looks as the OCI runtime specification says', () => {
  const oci = exportOci(profileOf('x86_64', ['read', 'personality']), { runtimeCalls: [] });
  expect(oci).toMatchObject({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    architectures: ['SCMP_ARCH_X86_64'],
  });
  expect(oci.syscalls[1]).toEqual({
    names: ['personality'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, value: 0xffffffff, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
  });
});
