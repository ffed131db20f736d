import { describe, expect, it } from 'vitest';
import { ENFORCEMENTS, type Enforcement } from '../model/level.js';
import { plainRules } from '../model/argument-rules.js';
import { ARCHITECTURES, type Architecture, type Rule } from '../model/profile.js';
import { DEFAULT_CEILING } from './ceiling.js';
import { compileFilter, withheldNames } from './compile.js';
import { engineDefaultNames, isQuietlyRefusable } from '../kernel/engine-default.js';
import { callClass } from '../kernel/families.js';
import { refusalErrno } from './eperm.js';
import { type CompiledFilter } from './instruction.js';
import { interpret } from './interpret.js';
import { syscallName, syscallNames, syscallNumber } from '../kernel/syscalls.js';
import { validateProgram } from './validate.js';

const ALLOW = 0x7fff0000;
const NOTIFY = 0x7fc00000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const ARCH = { x86_64: 0xc000003e, aarch64: 0xc00000b7, i386: 0x40000003, arm: 0x40000028, riscv64: 0xc00000f3 };
const GARBAGE = 0xdeadbeef_00000000n;

/** A small profile with guarded calls, forbidden ones (ceiling: mount; engine: fchmodat2) and an ordinary one. */
const PROFILE = [
  ...['read', 'write', 'openat', 'close', 'mmap', 'clone', 'personality', 'socket', 'prlimit64', 'setpriority'],
  ...['sched_setaffinity', 'sched_setscheduler', 'sched_setparam', 'sched_setattr', 'ioprio_set', 'clone3'],
  ...['mount', 'io_uring_setup', 'fchmodat2', 'execve', 'tgkill', 'tkill'],
];
const ALWAYS = ['exit', 'exit_group', 'rt_sigreturn', 'restart_syscall', 'time', 'gettimeofday', 'getcpu'];

function compile(enforcement: Enforcement, architecture: Architecture, allowed: readonly string[] = PROFILE) {
  return compileFilter({
    enforcement,
    architecture,
    rules: enforcement === 'none' ? null : plainRules(allowed),
    ceiling: DEFAULT_CEILING,
    engineDefault: engineDefaultNames(architecture),
  });
}

function run({ filter, answer }: CompiledFilter, arch: number, nr: number, args: readonly bigint[] = []): string {
  const data = { nr, arch, instructionPointer: 0x7fff_1234_5678n, args };
  const first = interpret(filter, data);
  if (first === ALLOW) return 'made';
  if (first === EPERM) return 'quiet EPERM';
  if (first === ENOSYS) return 'quiet ENOSYS';
  if (first !== NOTIFY) throw new Error(`the filter returned 0x${first.toString(16)}`);
  const second = interpret(answer, data);
  if (second === EPERM) return 'EPERM';
  if (second === ENOSYS) return 'ENOSYS';
  throw new Error(`the answer was 0x${second.toString(16)}`);
}

const TOP = 0x40000000;
const NUMBERS = [
  ...Array.from({ length: 1024 }, (_, number) => number),
  ...Array.from({ length: 1024 }, (_, number) => TOP + number),
  ...[-1, -2, 0x7fffffff, 0xffffffff, 0xfffffffe, 0x80000000, TOP - 1, 0x20000000, 0x00010000, 4095, 4096],
];

/** Arguments that satisfy every guard: pid 0, process scope, no clone flags, personality 0, no AF_VSOCK. */
function harmless(name: string | undefined): readonly bigint[] {
  return name === 'ioprio_set' ? [1n, 0n, 0n, 0n, 0n, 0n] : [0n, 0n, 0n, 0n, 0n, 0n];
}

describe.each(ARCHITECTURES)('a filter for %s', (architecture) => {
  const ceiling = new Set(DEFAULT_CEILING);
  const engine = new Set(engineDefaultNames(architecture));
  const profile = PROFILE.filter((name) => syscallNumber(architecture, name) !== undefined);

  /** The rules in words, without trees or jumps. */
  function expected(enforcement: Enforcement, name: string | undefined): string {
    if (name === undefined) return 'ENOSYS';
    if (ALWAYS.includes(name)) return 'made';
    const isQuiet = isQuietlyRefusable(name) && enforcement !== 'enforce';
    const refused = `${isQuiet ? 'quiet ' : ''}${refusalErrno(name)}`;
    if (ceiling.has(name) || name === 'clone3' || !engine.has(name)) return refused;
    if (enforcement === 'none' || profile.includes(name)) return 'made';
    return enforcement === 'audit' && callClass(name) !== 'dangerous' ? 'made' : refused;
  }

  it.each(ENFORCEMENTS)('decides every number as the rules say with enforcement %s', (enforcement) => {
    const compiled = compile(enforcement, architecture, profile);
    for (const number of NUMBERS) {
      const name = syscallName(architecture, number);
      const got = run(compiled, ARCH[architecture], number, harmless(name));
      expect(`${number} ${name}: ${got}`).toBe(`${number} ${name}: ${expected(enforcement, name)}`);
    }
  });

  it.each(ENFORCEMENTS)('never makes a call of a foreign architecture with enforcement %s', (enforcement) => {
    const compiled = compile(enforcement, architecture, profile);
    for (const foreign of [...Object.values(ARCH).filter((value) => value !== ARCH[architecture]), 0, 0xffffffff]) {
      for (const number of NUMBERS) expect(run(compiled, foreign, number)).toBe('ENOSYS');
    }
  });

  const P = 'prlimit64';
  const CASES: readonly [call: string, args: readonly bigint[], made: boolean][] = [
    [P, [0n, 7n], true],
    [P, [1n, 7n], false],
    [P, [1n | GARBAGE, 7n], false],
    [P, [GARBAGE, 7n], true],
    [P, [2n, 7n], true],
    [P, [0xffffffffn, 7n], true],
    [P, [0x1_0000_0001n, 7n], false],
    ...['sched_setaffinity', 'sched_setattr', 'sched_setparam', 'sched_setscheduler'].flatMap(
      (call): [string, bigint[], boolean][] => [
        [call, [0n, 8n], true],
        [call, [4711n, 8n], true],
        [call, [1n, 8n], false],
        [call, [1n | GARBAGE, 8n], false],
      ],
    ),
    ['tgkill', [7n, 1n, 9n], true],
    ['tgkill', [1n | GARBAGE, 1n, 9n], false],
    ['tkill', [7n, 9n], true],
    ['tkill', [1n, 9n], false],
    ['setpriority', [0n, 0n, 5n], true],
    ['setpriority', [GARBAGE, 77n | GARBAGE, 5n], true],
    ['setpriority', [0n, 1n, 5n], false],
    ['setpriority', [0n, 1n | GARBAGE, 5n], false],
    ['setpriority', [1n, 0n, 5n], false],
    ['setpriority', [2n, 0n, 5n], false],
    ['setpriority', [2n | GARBAGE, 0n, 5n], false],
    ['ioprio_set', [1n, 0n, 0n], true],
    ['ioprio_set', [1n | GARBAGE, 9n, 0n], true],
    ['ioprio_set', [1n, 1n, 0n], false],
    ['ioprio_set', [1n, 1n | GARBAGE, 0n], false],
    ['ioprio_set', [2n, 0n, 0n], false],
    ['ioprio_set', [3n, 0n, 0n], false],
    ['ioprio_set', [0n, 0n, 0n], false],
    ['clone', [0x003d0f00n], true], // pthread_create
    ['clone', [0x01200011n | GARBAGE], true], // fork
    ...[0x20000n, 0x02000000n, 0x04000000n, 0x08000000n, 0x10000000n, 0x20000000n, 0x40000000n].flatMap(
      (flag): [string, bigint[], boolean][] => [
        ['clone', [flag | 17n], false],
        ['clone', [flag | 17n | GARBAGE], false],
      ],
    ),
    ['clone3', [0n, 88n], false],
    ...[0n, 8n, 0x20000n, 0x20008n, 0xffffffffn, 0xffffffff_ffffffffn].map((value): [string, bigint[], boolean] => [
      'personality',
      [value],
      true,
    ]),
    ['personality', [0x0040000n], false],
    ['personality', [0x0040000n | GARBAGE], false],
    ['personality', [0xfffffffen], false],
    ['socket', [2n, 1n], true],
    ['socket', [40n, 1n], false],
    ['socket', [40n | GARBAGE, 1n], false],
  ];

  it.each(ENFORCEMENTS)('holds the guards on the low words of arguments with enforcement %s', (enforcement) => {
    const compiled = compile(enforcement, architecture, profile);
    for (const [call, args, made] of CASES) {
      const got = run(compiled, ARCH[architecture], syscallNumber(architecture, call) ?? -1, args);
      const refused = call === 'clone3' ? `${enforcement === 'enforce' ? '' : 'quiet '}ENOSYS` : 'EPERM';
      expect([call, args, got]).toEqual([call, args, made ? 'made' : refused]);
    }
  });

  it('makes under audit what the profile lacks only where the guards hold', () => {
    const compiled = compile('audit', architecture, ['read']);
    for (const [call, args, held] of CASES) {
      const got = run(compiled, ARCH[architecture], syscallNumber(architecture, call) ?? -1, args);
      const refused = call === 'clone3' ? 'quiet ENOSYS' : 'EPERM';
      expect([call, args, got]).toEqual([call, args, held ? 'made' : refused]);
    }
  });

  it('reads arguments only of guarded calls, and only after it has decided on the number', () => {
    const compiled = compile('none', architecture);
    const loading = syscallNames(architecture).filter((name) =>
      loadsArgument(compiled, ARCH[architecture], syscallNumber(architecture, name) ?? -1),
    );
    const guarded = new Set(CASES.map(([call]) => call).filter((call) => call !== 'clone3'));
    expect(loading).toEqual([...guarded].sort());
  });

  it('answers quietly what the profile refuses, unless it is dangerous and no reviewed probe, or the engine allows it', () => {
    const names = ['clone3', 'io_uring_setup', 'mbind', 'fchmodat2', 'bpf', 'mount', 'ptrace', 'read'];
    const rules: Rule[] = [{ names: names.sort(), action: 'SCMP_ACT_ERRNO', errnoRet: 1 }];
    const options = { architecture, ceiling: DEFAULT_CEILING, engineDefault: engineDefaultNames(architecture) };
    const compiled = compileFilter({ ...options, enforcement: 'enforce', rules });
    const got = (name: string) => run(compiled, ARCH[architecture], syscallNumber(architecture, name) ?? -1);
    expect(names.filter((name) => got(name) === 'quiet EPERM')).toEqual([
      'clone3',
      'fchmodat2',
      'io_uring_setup',
      'mbind',
    ]);
    expect(names.filter((name) => got(name).startsWith('quiet'))).toHaveLength(4);
    expect([got('move_pages'), got('bpf'), got('read')]).toEqual(['EPERM', 'EPERM', 'ENOSYS']);
  });

  it('makes what an administrator set beyond the default, and answers the rest as while it was learned', () => {
    const options = { architecture, ceiling: DEFAULT_CEILING };
    const engineDefault = [...engineDefaultNames(architecture), 'mbind'];
    const compiled = compileFilter({ ...options, engineDefault, enforcement: 'none', rules: null });
    const got = (name: string) => run(compiled, ARCH[architecture], syscallNumber(architecture, name) ?? -1);
    expect([got('mbind'), got('set_mempolicy'), got('process_madvise')]).toEqual([
      'made',
      'quiet EPERM',
      'quiet EPERM',
    ]);
  });

  it('answers every call beyond the default alike while it is learned and afterwards', () => {
    const options = { architecture, ceiling: DEFAULT_CEILING, engineDefault: engineDefaultNames(architecture) };
    const [learning, enforced] = [
      compileFilter({ ...options, enforcement: 'none', rules: null }),
      compileFilter({ ...options, enforcement: 'enforce', rules: [] }),
    ];
    for (const name of syscallNames(architecture).filter((call) => !engine.has(call))) {
      const nr = syscallNumber(architecture, name) ?? -1;
      const [before, after] = [learning, enforced].map((filter) => run(filter, ARCH[architecture], nr));
      expect([name, before?.replace('quiet ', '')]).toEqual([name, after]);
    }
  });

  it('gives programs that the kernel would load for profiles of every size', () => {
    // A fixed scattering of the names: 211 is prime, so the stride visits every one.
    const names = syscallNames(architecture);
    const scattered = names.map((_, index) => names[(index * 211) % names.length] ?? '');
    expect(new Set(scattered).size).toBe(names.length);
    for (let size = 0; size <= names.length; size += 3) {
      const { filter, answer } = compile('enforce', architecture, scattered.slice(0, size));
      expect(() => [filter, answer].forEach(validateProgram)).not.toThrow();
    }
  });

  it('fits 4096 instructions with every call of the table in the profile', () => {
    const all = compile('enforce', architecture, syscallNames(architecture));
    expect(all.filter.length).toBeLessThan(4096);
    expect(all.answer.length).toBeLessThan(4096);
  });

  it('compiles equal sets of names to equal programs, whatever their order and repetition', () => {
    expect(compile('enforce', architecture, [...profile].reverse().concat('read'))).toEqual(
      compile('enforce', architecture, profile),
    );
  });
});

/** Follows the kernel's own emulation for its bitmap of constant allows (seccomp_is_const_allow). */
function loadsArgument({ filter }: CompiledFilter, arch: number, nr: number): boolean {
  let accumulator = 0;
  for (let pc = 0; pc < filter.length; pc++) {
    const { code, k, jt, jf } = filter[pc] ?? { code: -1, k: 0, jt: 0, jf: 0 };
    if (code === 0x06) return false;
    if (code === 0x20 && k >= 8) return true;
    if (code === 0x20) accumulator = k === 0 ? nr : arch;
    else if (code === 0x05) pc += k;
    else if (code === 0x15) pc += accumulator === k ? jt : jf;
    else if (code === 0x35) pc += accumulator >= k ? jt : jf;
    else throw new Error(`code ${code} is not cached by the kernel`);
  }
  throw new Error('the program runs past its end');
}

describe('what cannot be compiled', () => {
  const base = { ceiling: DEFAULT_CEILING, engineDefault: engineDefaultNames('x86_64') };

  it('names every unknown call of a profile', () => {
    expect(() => compile('enforce', 'x86_64', ['read', 'opennat', 'reed'])).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_SYSCALLS',
        syscalls: ['opennat', 'reed'],
        message: expect.stringContaining('x86_64'),
      }),
    );
  });

  it('refuses a call that the architecture does not have, instead of dropping it', () => {
    expect(() => compile('audit', 'aarch64', ['read', 'open'])).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_SYSCALLS', syscalls: ['open'] }),
    );
  });

  it('refuses audit and enforce without a profile', () => {
    for (const enforcement of ['audit', 'enforce'] as const) {
      expect(() => compileFilter({ enforcement, architecture: 'x86_64', rules: null, ...base })).toThrow(
        expect.objectContaining({ code: 'PROFILE_MISSING' }),
      );
    }
  });

  it('refuses a typing error in the ceiling, where it would open what it should close', () => {
    expect(() =>
      compileFilter({
        enforcement: 'none',
        architecture: 'x86_64',
        rules: null,
        ...base,
        ceiling: ['io_uring_setupp'],
      }),
    ).toThrow(expect.objectContaining({ code: 'UNKNOWN_SYSCALLS' }));
  });
});

describe('withheldNames', () => {
  it('says which names of a profile stay refused and what refuses them', () => {
    expect(
      withheldNames({
        architecture: 'x86_64',
        rules: plainRules(PROFILE),
        ceiling: DEFAULT_CEILING,
        engineDefault: engineDefaultNames('x86_64'),
      }),
    ).toEqual([
      { name: 'clone3', by: 'guard' },
      { name: 'fchmodat2', by: 'engine-default' },
      { name: 'io_uring_setup', by: 'ceiling' },
      { name: 'mount', by: 'ceiling' },
    ]);
  });
});
