import { describe, expect, it } from 'vitest';
import { compileFilter } from '../filter/compile.js';
import { DEFAULT_CEILING } from '../filter/ceiling.js';
import { ALWAYS_ALLOWED } from '../filter/guards.js';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { syscallNames } from '../kernel/syscalls.js';
import { plainRules, refusalsByName, toRules, byName } from '../model/argument-rules.js';
import { type Condition } from '../model/condition.js';
import { canonicalProfile, parseProfile } from '../model/parse-profile.js';
import { type Architecture, ARCHITECTURES, type Profile, type Rule } from '../model/profile.js';
import { type Recording } from '../model/recording.js';
import { learn, recordingOf } from '../learn/recordings.fixture.js';
import { importOci } from './import-oci.js';
import { NARROWED, OTHER_ERRNO } from './oci-comments.js';
import { argumentsByChance, callOf, Chance, decideExport, decideFilter, profileByChance } from './oci.fixture.js';
import { exportOci } from './oci.js';

type Json = Record<string, unknown>;
const ALLOW = 'SCMP_ACT_ALLOW';
const ERRNO = 'SCMP_ACT_ERRNO';
/** A document that refuses by default, of these rules. */
const documentOf = (...syscalls: Json[]): Json => ({ defaultAction: ERRNO, syscalls });
const imported = (document: unknown, architecture: Architecture = 'x86_64') => importOci(document, { architecture });
const reasons = (...syscalls: Json[]) =>
  imported(documentOf(...syscalls)).report.dropped.map(({ at, names, reason }) => `${at} ${names.join()}: ${reason}`);
const test = (index: number, op: string, value: number, valueTwo?: number): Json => ({
  ...{ index, op: `SCMP_CMP_${op}`, value },
  ...(valueTwo !== undefined && { valueTwo }),
});
/** The conditions of the call's alternatives, in short. */
const conditionsOn = (name: string, ...syscalls: Json[]): string[] =>
  imported(documentOf(...syscalls))
    .rules.filter(({ names, action }) => names.includes(name) && action === ALLOW)
    .map(({ args = [] }) => args.map(short).join(' '));
const short = ({ argument, op, value, mask }: Condition): string =>
  `${argument} ${op.slice('SCMP_CMP_'.length)} ${value}${mask === undefined ? '' : ` of ${mask}`}`;

describe.each(ARCHITECTURES)('the import of an export for %s', (architecture) => {
  const limits = { ceiling: DEFAULT_CEILING, engineDefault: engineDefaultNames(architecture) };
  const compile = (rules: readonly Rule[]) => compileFilter({ enforcement: 'enforce', architecture, rules, ...limits });

  it.each(Array.from({ length: 10 }, (_, seed) => seed))(
    'allows what the export allows, for profile %i by chance',
    (seed) => {
      const chance = new Chance(500 + seed);
      const profile = profileByChance(architecture, chance);
      const oci = exportOci(profile);
      const { rules } = imported(JSON.parse(JSON.stringify(oci)), architecture);
      const programs = compile(rules);
      const wrong: string[] = [];
      for (const name of syscallNames(architecture)) {
        const of = oci.syscalls.filter(({ names }) => names.includes(name)).length;
        for (let times = of > 1 ? 40 : 1; times > 0; times -= 1) {
          const data = callOf(architecture, name, argumentsByChance(profile, name, chance));
          const [exported, back] = [decideExport(oci, architecture, data), decideFilter(programs, data)];
          if ((exported === 0) !== (back === 0)) wrong.push(`${name}(${data.args.join()}): ${exported}, back ${back}`);
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  it('is the profile, in the words that recordings teach', () => {
    const equal = (argument: number, value: Condition['value']): Condition => ({ argument, op: 'SCMP_CMP_EQ', value });
    const masked = (argument: number, mask: Condition['value'], value: Condition['value']): Condition => ({
      ...{ argument, op: 'SCMP_CMP_MASKED_EQ', value, mask },
    });
    const rule = (name: string, ...args: Condition[]): Rule => ({ names: [name], action: ALLOW, args });
    const rules: readonly Rule[] = [
      ...plainRules(
        [...ALWAYS_ALLOWED, 'read', 'prlimit64', 'sched_setaffinity', 'socketpair'].filter((name) =>
          syscallNames(architecture).includes(name),
        ),
      ),
      rule('clone', masked(0, '0x7e030900', '0x10900')),
      rule('fcntl', equal(1, '0x3')),
      rule('fcntl', equal(1, '0x4')),
      rule('fcntl', equal(1, '0x406')),
      rule('mprotect', masked(2, '0x6', '0x2')),
      rule('mprotect', masked(2, '0x2', '0x0')),
      rule(
        'madvise',
        { argument: 2, op: 'SCMP_CMP_NE', value: '0x64' },
        { argument: 2, op: 'SCMP_CMP_NE', value: '0x65' },
      ),
      rule('socket', equal(0, '0x1'), masked(1, '0xfff7f7ff', '0x1')),
      rule('setpriority', equal(0, '0x0')),
      rule('ptrace', equal(0, '0x0')),
      rule('lseek', { argument: 2, op: 'SCMP_CMP_LE', value: '0x2' }),
      rule('mremap', equal(3, '0x1')),
      { names: ['io_uring_setup', 'mbind', 'migrate_pages'].sort(), action: ERRNO, errnoRet: 1 },
      { names: ['clone3'], action: ERRNO, errnoRet: 38 },
    ];
    const profile: Profile = { version: 1, architecture, rules, network: 'none' };
    // What a guard says beside every rule is not said again.
    const expected = rules.filter(({ names }) => !names.includes('setpriority'));
    const canonical = (of: readonly Rule[]) =>
      canonicalProfile({ ...profile, rules: toRules(byName(of), refusalsByName(of)) });
    const { rules: back, report } = imported(JSON.parse(JSON.stringify(exportOci(profile))), architecture);
    expect(canonical(back)).toBe(canonical([...expected, ...plainRules(['setpriority'])]));
    expect(report.dropped).toEqual([]);
    expect(() => parseProfile(canonical(back))).not.toThrow();
  });

  it('leaves out what the container runtime alone needs', () => {
    const profile: Profile = {
      version: 1,
      architecture,
      rules: plainRules(['read', ...ALWAYS_ALLOWED].filter((name) => syscallNames(architecture).includes(name))),
      network: 'none',
    };
    const { rules, report } = imported(exportOci(profile, { runtimeCalls: true }), architecture);
    expect(rules).toEqual(profile.rules.map((of) => ({ ...of, names: [...of.names].sort() })));
    expect(report.dropped).toMatchObject([{ reason: 'it is the container runtime’s' }]);
  });
});

describe('a learned profile', () => {
  it.each<[string, Recording]>([
    ['names', recordingOf([], ['read', 'openat', 'execve', 'socket', 'clone', 'pipe2'])],
    [
      'arguments',
      recordingOf([
        ...([['openat'], ['execve'], ['clone', 0x1200000], ['clone', 0x3d0f00], ['socket', 1, 1, 0]] as const),
        ...([
          ['ptrace', 0],
          ['prlimit64', 7],
          ['fcntl', 1030],
          ['mmap', 5, 2],
          ['ioctl', 0x5401],
        ] as const),
        ...([
          ['prctl', 15],
          ['setpriority', 0],
          ['sched_setscheduler', 3],
          ['personality', 0],
          ['mremap', 1],
        ] as const),
      ]),
    ],
  ])('of %s is exported whole, and an import of the export is the same profile', (_words, recording) => {
    const profile = learn([recording]);
    const oci = exportOci(profile);
    const comments = oci.syscalls.map(({ comment = '' }) => comment);
    expect(comments.filter((comment) => comment.includes(NARROWED) || comment.includes(OTHER_ERRNO))).toEqual([]);
    const { rules, report } = imported(JSON.parse(JSON.stringify(oci)));
    expect(canonicalProfile({ ...profile, rules })).toBe(canonicalProfile(profile));
    expect(report.dropped).toEqual([]);
  });
});

describe('the import of a document', () => {
  it('takes Docker’s format as for a container without capabilities', () => {
    const document = {
      defaultAction: ERRNO,
      defaultErrnoRet: 1,
      archMap: [
        { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
        { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      ],
      syscalls: [
        { names: ['read', '_llseek', 'stat64'], action: ALLOW },
        { names: ['process_vm_readv', 'ptrace'], action: ALLOW, includes: { minKernel: '4.8' } },
        { names: ['mseal'], action: ALLOW, includes: { minKernel: '6.10' } },
        { names: ['mount', 'clone'], action: ALLOW, includes: { caps: ['CAP_SYS_ADMIN'] } },
        {
          names: ['clone'],
          action: ALLOW,
          args: [test(0, 'MASKED_EQ', 0x7e020000)],
          excludes: { caps: ['CAP_SYS_ADMIN'], arches: ['s390x'] },
        },
        {
          names: ['clone'],
          action: ALLOW,
          args: [test(1, 'MASKED_EQ', 0x7e020000)],
          includes: { arches: ['s390', 's390x'] },
        },
        { names: ['clone3'], action: ERRNO, errnoRet: 38, excludes: { caps: ['CAP_SYS_ADMIN'] } },
        { names: ['socket'], action: ALLOW, args: [test(0, 'LT', 38)] },
        { names: ['socket'], action: ALLOW, args: [test(0, 'EQ', 39)] },
        { names: ['socket'], action: ALLOW, args: [test(0, 'GT', 40)] },
        { name: 'arch_prctl', action: ALLOW, includes: { arches: ['amd64', 'x32'] }, args: null, comment: '' },
        ...[0, 8, 0x20000, 0x20008, 0xffffffff].map((value) => ({
          ...{ names: ['personality'], action: ALLOW, args: [test(0, 'EQ', value)] },
        })),
      ],
    };
    const { rules, report } = imported(document);
    expect(rules).toEqual([
      { names: ['arch_prctl', 'clone', 'personality', 'process_vm_readv', 'ptrace', 'read'], action: ALLOW },
      { names: ['socket'], action: ALLOW, args: [{ argument: 0, op: 'SCMP_CMP_NE', value: '0x26' }] },
      { names: ['clone3'], action: ERRNO, errnoRet: 38 },
    ]);
    expect(report).toEqual({
      format: 'docker',
      allowed: ['arch_prctl', 'clone', 'personality', 'process_vm_readv', 'ptrace', 'read'],
      conditional: ['socket'],
      refused: [{ name: 'clone3', errnoRet: 38 }],
      dropped: [
        { at: '$.syscalls[0]', names: ['_llseek', 'stat64'], reason: 'x86_64 has no such call' },
        { at: '$.syscalls[2]', names: ['mseal'], reason: 'not every node has Linux 6.10' },
        {
          at: '$.syscalls[3]',
          names: ['mount', 'clone'],
          reason: 'it is for containers with CAP_SYS_ADMIN, and Porin’s have none',
        },
        { at: '$.syscalls[5]', names: ['clone'], reason: 'it is for s390, s390x' },
      ],
      notes: ['Porin refuses every call of SCMP_ARCH_X86 and SCMP_ARCH_X32.'],
    });
    expect(imported(document, 'aarch64').report.dropped).toContainEqual({
      at: '$.syscalls[10]',
      names: ['arch_prctl'],
      reason: 'it is for amd64, x32',
    });
  });

  it.each(['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG'])('is refused where it allows by default, by %s', (defaultAction) => {
    expect(() => imported({ defaultAction, syscalls: [] })).toThrow(
      `$.defaultAction: is ${defaultAction}: the document lists what it refuses and allows every other call`,
    );
  });

  it('is refused for another architecture, and taken for several', () => {
    const document = { ...documentOf({ names: ['read'], action: ALLOW }), architectures: ['SCMP_ARCH_X86_64'] };
    expect(() => imported(document, 'aarch64')).toThrow('$.architectures: lacks SCMP_ARCH_AARCH64');
    const both = { ...document, architectures: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_X86_64', 'SCMP_ARCH_X32'] };
    expect(imported(both).report.notes).toEqual(['Porin refuses every call of SCMP_ARCH_X32.']);
    expect(imported(both, 'aarch64').report.notes).toEqual([]);
  });

  it.each<[string, string]>([
    ['SCMP_ACT_KILL', 'SCMP_ACT_KILL became a refusal with an errno'],
    ['SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_KILL_PROCESS became a refusal with an errno'],
    ['SCMP_ACT_TRAP', 'SCMP_ACT_TRAP became a refusal with an errno'],
    ['SCMP_ACT_TRACE', 'SCMP_ACT_TRACE asks another program, and Porin none: the call is not allowed'],
    ['SCMP_ACT_NOTIFY', 'SCMP_ACT_NOTIFY asks another program, and Porin none: the call is not allowed'],
  ])('does not allow what %s is said of', (action, reason) => {
    expect(reasons({ names: ['mbind', 'read'], action })).toEqual([`$.syscalls[0] mbind,read: ${reason}`]);
    expect(imported(documentOf({ names: ['mbind'], action })).rules).toEqual([]);
  });

  it('takes SCMP_ACT_LOG for allowed, and says so', () => {
    const { rules, report } = imported(documentOf({ names: ['read'], action: 'SCMP_ACT_LOG' }));
    expect(rules).toEqual(plainRules(['read']));
    expect(report.notes).toEqual([expect.stringContaining('taken for SCMP_ACT_ALLOW at $.syscalls[0]')]);
  });

  it('refuses quietly what the engine refuses anyway and what programs probe, and nothing else', () => {
    const document = documentOf(
      { names: ['mbind', 'io_uring_setup', 'read', 'bpf', 'ptrace'], action: ERRNO, errnoRet: 13 },
      { names: ['migrate_pages'], action: ERRNO },
      { names: ['move_pages'], action: ERRNO, errnoRet: 0 },
      { names: ['get_mempolicy'], action: ERRNO, errnoRet: 1 },
      { names: ['get_mempolicy'], action: ERRNO, errnoRet: 38 },
      { names: ['set_mempolicy'], action: ERRNO, errnoRet: 1, args: [test(0, 'EQ', 1)] },
    );
    const { rules, report } = imported(document);
    expect(rules).toEqual([
      { names: ['migrate_pages'], action: ERRNO, errnoRet: 1 },
      { names: ['io_uring_setup', 'mbind'], action: ERRNO, errnoRet: 13 },
    ]);
    expect(report.dropped.map(({ at, names, reason }) => [at, names.join(), reason])).toEqual([
      ['$.syscalls[0]', 'read,bpf,ptrace', 'Porin reports the call, and answers with an errno of its own'],
      ['$.syscalls[2]', 'move_pages', 'errno 0 would pretend that the call was made: it is not allowed'],
      ['$.syscalls[3]', 'get_mempolicy', 'two rules answer with two errnos'],
      ['$.syscalls[4]', 'get_mempolicy', 'two rules answer with two errnos'],
      ['$.syscalls[5]', 'set_mempolicy', 'it refuses some arguments only: Porin answers them with an errno of its own'],
    ]);
  });

  it('does not allow what another rule refuses, with whatever arguments, unless they are others', () => {
    const refused = 'another rule refuses the call with the same arguments';
    const socket = (...args: Json[]): Json => ({ names: ['socket'], action: ALLOW, args });
    expect(reasons({ names: ['read'], action: ALLOW }, { names: ['read'], action: 'SCMP_ACT_KILL' })[0]).toBe(
      `$.syscalls[0] read: ${refused}`,
    );
    const inet = { names: ['socket'], action: ERRNO, args: [test(0, 'EQ', 2)] };
    expect(conditionsOn('socket', socket(), inet)).toEqual([]);
    expect(conditionsOn('socket', socket(test(0, 'EQ', 1)), inet)).toEqual(['0 EQ 0x1']);
    expect(conditionsOn('socket', socket(test(0, 'LE', 2)), inet)).toEqual([]);
    const both = { names: ['socket'], action: ERRNO, args: [test(0, 'EQ', 16), test(2, 'EQ', 9)] };
    expect(conditionsOn('socket', socket(test(2, 'NE', 9)), socket(test(0, 'NE', 16)), both)).toEqual([
      '0 NE 0x10',
      '2 NE 0x9',
    ]);
    // A pointer may be anything, so a refusal by it may be about every call.
    expect(
      conditionsOn(
        'read',
        { names: ['read'], action: ALLOW, args: [test(0, 'EQ', 3)] },
        { names: ['read'], action: ERRNO, args: [test(1, 'EQ', 0)] },
      ),
    ).toEqual([]);
  });

  it('cuts comparisons of 64 bits to what the kernel reads of the argument', () => {
    const fcntl = (...args: Json[]): string[] => conditionsOn('fcntl', { names: ['fcntl'], action: ALLOW, args });
    const high = 2 ** 32;
    expect(fcntl(test(1, 'EQ', 3))).toEqual(['1 EQ 0x3']);
    expect(fcntl(test(1, 'MASKED_EQ', 0xffffffff, 3))).toEqual(['1 EQ 0x3']);
    expect(fcntl(test(1, 'MASKED_EQ', high + 0xff, 3))).toEqual(['1 MASKED_EQ 0x3 of 0xff']);
    expect(fcntl(test(1, 'NE', high))).toEqual(['']);
    expect(fcntl(test(1, 'LT', high))).toEqual(['']);
    expect(fcntl(test(1, 'GE', 0), test(0, 'EQ', 1))).toEqual(['0 EQ 0x1']);
    expect(fcntl(test(1, 'EQ', high + 3))).toEqual([]);
    expect(fcntl(test(1, 'MASKED_EQ', 0xff, 0x100))).toEqual([]);
    expect(fcntl(test(1, 'LT', 0))).toEqual([]);
    expect(conditionsOn('brk', { names: ['brk'], action: ALLOW, args: [test(0, 'GE', high + 3)] })).toEqual([
      '0 GE 0x100000003',
    ]);
  });

  it('says which conditions no profile can hold', () => {
    const rule = (name: string, ...args: Json[]): Json => ({ names: [name], action: ALLOW, args });
    expect(reasons(rule('openat', test(1, 'EQ', 0)))[0]).toMatch(/openat: argument 1 of "openat" is a pointer/);
    expect(reasons(rule('mkdir', test(1, 'EQ', 0)))[0]).toMatch(/has 16 bits/);
    expect(reasons(rule('close', test(3, 'EQ', 0)))[0]).toMatch(/"close" has no argument 3/);
    expect(reasons(rule('close', test(0, 'EQ', 2 ** 40)))[0]).toMatch(/no value of the 32 bits of argument 0 passes/);
    expect(reasons(rule('close', test(0, 'GT', 2), test(0, 'LT', 9)))[0]).toMatch(/tests argument 0 twice/);
  });
});
