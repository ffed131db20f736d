import { describe, expect, it } from 'vitest';
import { DEFAULT_CEILING } from '../filter/ceiling.js';
import { compileFilter } from '../filter/compile.js';
import { AUDIT_ARCH } from '../filter/bpf.js';
import { ALWAYS_ALLOWED, guardOf, GUARDS } from '../filter/guards.js';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { syscallNames, syscallNumber } from '../kernel/syscalls.js';
import { plainRules } from '../model/argument-rules.js';
import { COMPARISONS, type Condition } from '../model/condition.js';
import { type Architecture, ARCHITECTURES, type Profile, type Rule } from '../model/profile.js';
import { NARROWED, OTHER_ERRNO, REPORTED, RUNTIME_ADDED, RUNTIME_WIDENED } from './oci-comments.js';
import { type OciSeccomp, type OciSyscall } from './oci-format.js';
import {
  argumentsByChance,
  callOf,
  Chance,
  type Decision,
  decideExport,
  decideFilter,
  profileByChance,
} from './oci.fixture.js';
import { exportOci } from './oci.js';
import { RUNTIME_START_CALLS } from './runtime-calls.js';

const profileOf = (architecture: Architecture, names: readonly string[], more: readonly Rule[] = []): Profile => ({
  version: 1,
  architecture,
  rules: [...plainRules(names), ...more],
  network: 'none',
});
const decide = (oci: OciSeccomp, architecture: Architecture, name: string, args: readonly bigint[] = []) =>
  decideExport(oci, architecture, callOf(architecture, name, args));
const rulesOf = ({ syscalls }: OciSeccomp, name: string): OciSyscall[] =>
  syscalls.filter(({ names }) => names.includes(name));
const says = (oci: OciSeccomp, name: string, text: string): boolean =>
  rulesOf(oci, name).some(({ comment = '' }) => comment.includes(text));
/** Equal but for what a comment says: a call is refused where Porin allows it, or refused with the default errno. */
const agrees = (oci: OciSeccomp, name: string, enforced: number, exported: Decision): boolean =>
  exported === enforced ||
  (says(oci, name, NARROWED) && exported !== 0) ||
  (says(oci, name, OTHER_ERRNO) && enforced !== 0 && exported === oci.defaultErrnoRet);

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
  ])('allows and refuses what the filter does, with its errno, for %s', (_words, allowed) => {
    const oci = exportOci(profileOf(architecture, allowed));
    const programs = compileFilter({ ...options, enforcement: 'enforce', rules: plainRules(allowed) });
    const wrong: string[] = [];
    for (const name of all) {
      const guarded = guardOf(name) !== undefined;
      for (const first of guarded ? VALUES : [0n]) {
        for (const second of guarded ? VALUES : [0n]) {
          const args = [first, second, 0n, 0n, 0n, 0n];
          const [errno, exported] = [
            decideFilter(programs, callOf(architecture, name, args)),
            decide(oci, architecture, name, args),
          ];
          if (exported !== errno) wrong.push(`${name}(${first}, ${second}): filter ${errno}, export ${exported}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'decides as the filter does, for profile %i by chance',
    (seed) => {
      const chance = new Chance(seed + 1);
      const profile = profileByChance(architecture, chance);
      const oci = exportOci(profile);
      const programs = compileFilter({ ...options, enforcement: 'enforce', rules: profile.rules });
      const wrong: string[] = [];
      for (const name of all) {
        for (let times = rulesOf(oci, name).length > 1 ? 40 : 1; times > 0; times -= 1) {
          const args = argumentsByChance(profile, name, chance);
          const errno = decideFilter(programs, callOf(architecture, name, args));
          const exported = decide(oci, architecture, name, args);
          if (!agrees(oci, name, errno, exported)) {
            wrong.push(`${name}(${args.join()}): filter ${errno}, export ${exported}`);
          }
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  it('lets through nothing of another architecture or an unknown number, and says what becomes of the first', () => {
    const oci = exportOci(profileOf(architecture, all));
    const programs = compileFilter({ ...options, enforcement: 'enforce', rules: plainRules(all) });
    const data = callOf(architecture, 'read', []);
    for (const arch of [0x40000003, 0x40000028, AUDIT_ARCH[architecture === 'x86_64' ? 'aarch64' : 'x86_64']]) {
      expect(decideExport(oci, architecture, { ...data, arch })).toBe('killed');
      expect(decideFilter(programs, { ...data, arch })).toBe(38);
    }
    for (const nr of [-1, 900]) {
      expect(decideExport(oci, architecture, { ...data, nr })).toBe(38);
      expect(decideFilter(programs, { ...data, nr })).toBe(38);
    }
    expect(oci.syscalls[0]?.comment).toMatch(/calls of .* are not listed/);
  });

  it('refuses quietly what the profile does, with the errno of the profile', () => {
    const rules: Rule[] = [
      { names: ['io_uring_setup', 'mbind'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
    ];
    const oci = exportOci(profileOf(architecture, ['read'], rules));
    expect(['io_uring_setup', 'mbind', 'clone3'].map((name) => decide(oci, architecture, name))).toEqual([1, 1, 38]);
    expect(rulesOf(oci, 'mbind')).toEqual([rules[0]]);
    expect(rulesOf(oci, 'bpf')).toMatchObject([{ action: 'SCMP_ACT_ERRNO', comment: REPORTED }]);
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
    const oci = exportOci(profileOf(architecture, [], rules));
    expect(says(oci, name, NARROWED)).toBe(false);
    const programs = compileFilter({ ...options, enforcement: 'enforce', rules });
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
    const outcomes = calls.map((args) => ({
      args,
      enforced: decideFilter(programs, callOf(architecture, name, args)),
      exported: decide(oci, architecture, name, args),
    }));
    expect(outcomes.filter(({ enforced, exported }) => !agrees(oci, name, enforced, exported))).toEqual([]);
    expect(new Set(outcomes.map(({ enforced }) => enforced)).size).toBe(2);
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
    const oci = exportOci(profileOf(architecture, [], rules));
    expect(rulesOf(oci, name)).toMatchObject([{ action: 'SCMP_ACT_ERRNO', comment: NARROWED }]);
    const second: Rule = conditional(name, { argument: 0, op: 'SCMP_CMP_EQ', value: '0x5' });
    const wider = exportOci(profileOf(architecture, [], [...rules, second]));
    expect(decide(wider, architecture, name, [5n])).toBe(0);
    expect(decide(wider, architecture, name, [0x1800n, 2n, 2n])).not.toBe(0);
    expect(says(wider, name, NARROWED)).toBe(true);
  });

  it('says where a call with other arguments gets another errno than under Porin', () => {
    const rules = ['0x0', '0x10'].map((value) =>
      conditional('ptrace', { argument: 0, op: 'SCMP_CMP_EQ', value: value as '0x0' }),
    );
    const one = exportOci(profileOf(architecture, [], rules.slice(0, 1)));
    expect([0n, 16n].map((request) => decide(one, architecture, 'ptrace', [request]))).toEqual([0, 1]);
    const two = exportOci(profileOf(architecture, [], rules));
    expect([0n, 16n, 5n].map((request) => decide(two, architecture, 'ptrace', [request]))).toEqual([0, 0, 38]);
    expect(rulesOf(two, 'ptrace')).toMatchObject([{ comment: OTHER_ERRNO }, { comment: OTHER_ERRNO }]);
  });

  it('leaves out the calls with most conditions where all of them would be too many for the kernel', () => {
    const pairs = ['fchown', 'kill', 'dup3', 'fcntl', 'setpgid', 'flock'].map((name) =>
      conditional(
        name,
        { argument: 0, op: 'SCMP_CMP_NE', value: '0x1' },
        { argument: 1, op: 'SCMP_CMP_NE', value: '0x1' },
      ),
    );
    const single = conditional('close', { argument: 0, op: 'SCMP_CMP_NE', value: '0x7' });
    const oci = exportOci(profileOf(architecture, [], [...pairs, single]));
    expect(says(oci, 'close', NARROWED)).toBe(false);
    expect(pairs.filter(({ names: [name = ''] }) => says(oci, name, NARROWED))).not.toEqual([]);
    expect(oci.syscalls.length).toBeLessThan(1000);
  });

  it('always lets programs end, and the runtime start them where that is asked for', () => {
    const [bare, forRuntime] = [false, true].map((runtimeCalls) =>
      exportOci(profileOf(architecture, []), { runtimeCalls }),
    );
    for (const name of [...ALWAYS_ALLOWED, ...RUNTIME_START_CALLS]) {
      if (syscallNumber(architecture, name) === undefined) continue;
      expect(decide(bare!, architecture, name)).toBe(
        ALWAYS_ALLOWED.includes(name) ? 0 : decide(bare!, architecture, name),
      );
      expect(decide(forRuntime!, architecture, name)).toBe(0);
    }
    expect(decide(bare!, architecture, 'execve')).toBe(1);
  });

  it('says which calls are the runtime’s, and which the profile allows with some arguments only', () => {
    const held = conditional('mmap', { argument: 2, op: 'SCMP_CMP_MASKED_EQ', mask: '0x4', value: '0x0' });
    const oci = exportOci(profileOf(architecture, ['read'], [held]), { runtimeCalls: true });
    expect(rulesOf(oci, 'read')).toMatchObject([{ comment: expect.stringContaining('are not listed') }]);
    expect(rulesOf(oci, 'execve')).toMatchObject([{ action: 'SCMP_ACT_ALLOW', comment: RUNTIME_ADDED }]);
    expect(rulesOf(oci, 'mmap')).toMatchObject([{ action: 'SCMP_ACT_ALLOW', comment: RUNTIME_WIDENED }]);
    expect(rulesOf(oci, 'mmap')[0]?.args).toBeUndefined();
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
  const oci = exportOci(profileOf('x86_64', ['read', 'personality']));
  expect(oci).toMatchObject({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    architectures: ['SCMP_ARCH_X86_64'],
  });
  expect(rulesOf(oci, 'personality')[0]).toEqual({
    names: ['personality'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, value: 0xffffffff, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
  });
});
