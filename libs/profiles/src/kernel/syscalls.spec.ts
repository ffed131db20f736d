import { describe, expect, it } from 'vitest';
import { ARCHITECTURES } from '../model/profile.js';
import { engineDefaultNames, engineErrno } from './engine-default.js';
import { EPERM_CALLS, refusalErrno } from '../filter/eperm.js';
import { ALWAYS_ALLOWED, GUARDS } from '../filter/guards.js';
import { requireKnownAnywhere, syscallName, syscallNames, syscallNumber } from './syscalls.js';

describe('the system call tables', () => {
  it.each([
    ['read', 0, 63],
    ['execve', 59, 221],
    ['exit_group', 231, 94],
    ['open', 2, undefined],
    ['newfstatat', 262, 79],
    ['fstat', 5, 80],
    ['mmap', 9, 222],
    ['sendfile', 40, 71],
    ['prlimit64', 302, 261],
    ['clone3', 435, 435],
    ['memfd_secret', 447, 447],
    ['cachestat', 451, 451],
    ['map_shadow_stack', 453, 453],
    ['mseal', 462, 462],
    ['listns', 470, 470],
    ['uprobe', 336, undefined],
    ['no_such_call', undefined, undefined],
    ['constructor', undefined, undefined],
  ])('give %s the number %s on x86_64 and %s on aarch64', (name, x86, arm) => {
    expect(syscallNumber('x86_64', name)).toBe(x86);
    expect(syscallNumber('aarch64', name)).toBe(arm);
  });

  it.each(ARCHITECTURES)('map every name of %s to a number and back', (architecture) => {
    const names = syscallNames(architecture);
    expect(names).toEqual([...names].sort());
    expect(names.length).toBeGreaterThan(300);
    for (const name of names) expect(syscallName(architecture, syscallNumber(architecture, name) ?? -1)).toBe(name);
  });

  it.each(ARCHITECTURES)('assign 424 to 470 without a gap, and nothing above, on %s', (architecture) => {
    for (let number = 424; number <= 470; number++) expect(syscallName(architecture, number)).toBeDefined();
    for (let number = 471; number < 1024; number++) expect(syscallName(architecture, number)).toBeUndefined();
  });
});

describe('the policy tables', () => {
  it('name only calls that exist', () => {
    requireKnownAnywhere(EPERM_CALLS, 'the EPERM list');
    requireKnownAnywhere(ALWAYS_ALLOWED, 'the calls always allowed');
    requireKnownAnywhere(
      GUARDS.flatMap(({ names }) => names),
      'the guards',
    );
  });

  it('guard each call once, none that is always allowed, and answer no newer call with EPERM', () => {
    const guarded = GUARDS.flatMap(({ names }) => names);
    expect(new Set(guarded).size).toBe(guarded.length);
    expect(guarded.filter((name) => ALWAYS_ALLOWED.includes(name))).toEqual([]);
    for (const name of [
      'clone3',
      'rseq',
      'faccessat2',
      'openat2',
      'close_range',
      'statx',
      'futex_waitv',
      'fchmodat2',
    ]) {
      expect([name, refusalErrno(name)]).toEqual([name, 'ENOSYS']);
    }
    // 424 is where every architecture numbers alike (Linux 5.1): what is newer may be missing on a supported kernel.
    for (const name of EPERM_CALLS) expect(syscallNumber('x86_64', name)).toBeLessThan(424);
  });

  it('leave to the engine what it answers, and answer as it does what is newer than its profile', () => {
    expect(EPERM_CALLS.filter((name) => engineErrno(name) !== null)).toEqual([]);
    const [older, newer] = [
      ['mbind', 'mount', 'fsopen', 'quotactl_fd'],
      ['fchmodat2', 'mseal', 'cachestat', 'clone3'],
    ];
    expect(older.map(refusalErrno)).toEqual(older.map(() => 'EPERM'));
    expect(newer.map(refusalErrno)).toEqual(newer.map(() => 'ENOSYS'));
  });

  it("holds Docker's default apart by architecture", () => {
    const x86 = engineDefaultNames('x86_64');
    const arm = engineDefaultNames('aarch64');
    expect(x86).toEqual(expect.arrayContaining(['open', 'arch_prctl', 'clone', 'personality', 'io_uring_setup']));
    expect(arm).toContain('openat');
    for (const absent of ['open', 'arch_prctl', 'modify_ldt']) expect(arm).not.toContain(absent);
    for (const refused of ['mount', 'unshare', 'bpf', 'keyctl', 'clone3', 'process_vm_readv']) {
      expect(x86).not.toContain(refused);
      expect(arm).not.toContain(refused);
    }
    expect([x86.length, arm.length]).toEqual([291, 250]);
  });
});
