import { describe, expect, it } from 'vitest';
import { argumentBits, argumentCount, argumentWidth } from './argument-widths.js';
import { describeCall, describeUse } from './describe-call.js';
import { requireKnownAnywhere } from './syscalls.js';
import { WORDED_ARGUMENTS } from './worded-arguments.js';

const AT_FDCWD = 0xffff_ffff_ffff_ff9cn;
const POINTER = 0x7ffe_0000_1000n;

describe('a call in words', () => {
  it.each<[all: string, use: string, call: string, values: readonly bigint[], texts?: Record<number, string>]>([
    ['getpid()', 'getpid()', 'getpid', [1n, 2n]],
    ['openat(AT_FDCWD, "/a", O_RDONLY, 0)', 'openat("/a", O_RDONLY)', 'openat', [AT_FDCWD, 1n, 0n, 0n], { 1: '"/a"' }],
    [
      'openat(3, 0x7ffe00001000, O_RDWR|O_CREAT|0x8000, 0644)',
      'openat(O_RDWR|O_CREAT|0x8000)',
      'openat',
      [3n, POINTER, 0x8042n, 0o644n],
    ],
    [
      'socket(AF_INET6, SOCK_STREAM|SOCK_CLOEXEC, 6)',
      'socket(AF_INET6, SOCK_STREAM|SOCK_CLOEXEC, 6)',
      'socket',
      [10n, 0x80001n, 6n],
    ],
    ['socket(AF_UNIX, SOCK_CLOEXEC, 0)', 'socket(AF_UNIX, SOCK_CLOEXEC, 0)', 'socket', [1n, 0x80000n, 0n]],
    [
      'setsockopt(3, SOL_IPV6, IPV6_RECVPKTINFO, 0x7ffe00001000, 4)',
      'setsockopt(SOL_IPV6, IPV6_RECVPKTINFO)',
      'setsockopt',
      [3n, 41n, 49n, POINTER, 4n],
    ],
    ['setsockopt(3, 5, 1, 0, 0)', 'setsockopt(5, 1)', 'setsockopt', [3n, 5n, 1n, 0n, 0n]],
    [
      'mknodat(AT_FDCWD, "p", S_IFIFO|0600, 0)',
      'mknodat("p", S_IFIFO|0600)',
      'mknodat',
      [AT_FDCWD, 0n, 0o10600n, 0n],
      { 1: '"p"' },
    ],
    ['unshare(CLONE_NEWUSER|0x100000000)', 'unshare(CLONE_NEWUSER|0x100000000)', 'unshare', [0x1_1000_0000n]],
    ['clone(0, 0, 0, 0, 0)', 'clone(0)', 'clone', [17n, 0n, 0n, 0n, 0n]],
    ['mprotect(0x7ffe00001000, 0x1000, PROT_NONE)', 'mprotect(PROT_NONE)', 'mprotect', [POINTER, 4096n, 0n]],
    ['tgkill(pid 1, thread 2, SIGABRT)', 'tgkill(pid 1, thread 2, SIGABRT)', 'tgkill', [1n, 2n, 6n]],
    ['kill(pid -1, signal 40)', 'kill(pid -1, signal 40)', 'kill', [0xffff_ffffn, 40n]],
    ['faccessat(AT_FDCWD, "/a", F_OK)', 'faccessat("/a", F_OK)', 'faccessat', [AT_FDCWD, 0n, 0n], { 1: '"/a"' }],
    ['close(-1)', 'close()', 'close', [0xffff_ffff_ffff_ffffn]],
    ['write(1, 0x7ffe00001000, 0xffffffffffffffff)', 'write()', 'write', [1n, POINTER, 0xffff_ffff_ffff_ffffn]],
    ['call_999(1, 2, 3, 4, 5, 0x400)', 'call_999()', 'call_999', [1n, 2n, 3n, 4n, 5n, 1024n]],
  ])('is %s, and by its use %s', (all, use, call, values, texts = {}) => {
    const observed = { call, values, texts: new Map(Object.entries(texts).map(([key, text]) => [Number(key), text])) };
    expect(describeCall(observed)).toBe(all);
    expect(describeUse(observed)).toBe(use);
  });

  it('has only what is known of it', () => {
    expect(describeUse({ call: 'prctl', values: [15n] })).toBe('prctl(PR_SET_NAME)');
    expect(describeUse({ call: 'setsockopt', values: [undefined, 1n, 2n] })).toBe(
      'setsockopt(SOL_SOCKET, SO_REUSEADDR)',
    );
    expect(describeUse({ call: 'mkdir', values: [] })).toBe('mkdir()');
  });
});

describe('the table of worded arguments', () => {
  it('is about calls that there are', () => {
    const calls = WORDED_ARGUMENTS.map(([call]) => call);
    expect(() => requireKnownAnywhere(calls, 'the worded arguments')).not.toThrow();
  });

  it('words no pointer, and no argument that a call lacks', () => {
    const isScalar = (call: string, argument: number): boolean =>
      argumentWidth(call, argument) !== null || argumentBits(call, argument) === 16;
    expect(WORDED_ARGUMENTS.filter(([call, argument]) => !isScalar(call, argument))).toEqual([]);
  });
});

describe('how many arguments a call takes', () => {
  it.each([
    ['getpid', 0],
    ['set_thread_area', 1],
    ['openat', 4],
    ['listns', 4],
    ['mmap', 6],
    ['no_such_call', 6],
  ])('is, of %s, %i', (call, count) => {
    expect(argumentCount(call)).toBe(count);
  });
});
