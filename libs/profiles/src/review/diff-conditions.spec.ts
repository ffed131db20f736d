import { expect, it } from 'vitest';
import { type Condition, type Hex } from '../model/condition.js';
import { type Profile, type Rule } from '../model/profile.js';
import { describeConditions } from './describe-conditions.js';
import { diffConditions } from './diff-conditions.js';

const equal = (argument: number, value: Hex): Condition => ({ argument, op: 'SCMP_CMP_EQ', value });
const masked = (argument: number, mask: Hex, value: Hex): Condition => ({
  ...{ argument, mask, value },
  op: 'SCMP_CMP_MASKED_EQ',
});
const rule = (name: string, ...args: Condition[]): Rule => ({
  ...{ names: [name], action: 'SCMP_ACT_ALLOW' as const },
  ...(args.length > 0 && { args }),
});
const profile = (...rules: Rule[]): Profile => ({ version: 1, architecture: 'x86_64', rules, network: 'none' });

it('says of every call how its conditions changed, and in which words', () => {
  const before = profile(
    rule('fcntl', equal(1, '0x3')),
    rule('ioctl', equal(1, '0x5401')),
    rule('ioctl', equal(1, '0x5412')),
    rule('prctl', equal(0, '0xf')),
    rule('madvise'),
    rule('mmap', masked(2, '0x4', '0x0')),
    rule('socket', equal(0, '0x1')),
    rule('kill', equal(1, '0xf')),
  );
  const now = profile(
    rule('fcntl', equal(1, '0x3')),
    rule('fcntl', equal(1, '0x8')),
    rule('ioctl', equal(1, '0x5401')),
    rule('prctl', equal(0, '0x4')),
    rule('madvise', equal(2, '0x4')),
    rule('mmap'),
    rule('socket', equal(0, '0x1')),
    rule('clone', masked(0, '0xffffff00', '0x3d0f00')),
    rule('read'),
  );
  expect(diffConditions(now, before)).toEqual([
    {
      ...{ name: 'clone', change: 'new', refuses: [] },
      admits: [
        'argument 0 is CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_SETTLS|CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID',
      ],
    },
    { name: 'fcntl', change: 'widened', admits: ['argument 1 is F_SETOWN'], refuses: [] },
    { name: 'ioctl', change: 'narrowed', admits: [], refuses: ['argument 1 is TIOCSTI'] },
    { name: 'madvise', change: 'added', admits: ['argument 2 is MADV_DONTNEED'], refuses: ['any arguments'] },
    { name: 'mmap', change: 'removed', admits: ['any arguments'], refuses: ['argument 2 without PROT_EXEC'] },
    {
      name: 'prctl',
      change: 'changed',
      admits: ['argument 0 is PR_SET_DUMPABLE'],
      refuses: ['argument 0 is PR_SET_NAME'],
    },
  ]);
});

it('has nothing to say of a version with the same conditions, in any order, nor of one of names', () => {
  const one = profile(rule('fcntl', equal(1, '0x3')), rule('fcntl', equal(1, '0x4')), rule('read'));
  const same = profile(rule('read'), rule('fcntl', equal(1, '0x4')), rule('fcntl', equal(1, '0x3')));
  expect(diffConditions(one, same)).toEqual([]);
  expect(diffConditions(profile(rule('read')), null)).toEqual([]);
  expect(diffConditions(one, null).map(({ name, change }) => [name, change])).toEqual([['fcntl', 'new']]);
});

it.each<[string, string, ...Condition[]]>([
  ['any arguments', 'read'],
  ['argument 0 is AF_UNIX, argument 1 is SOCK_STREAM', 'socket', equal(0, '0x1'), masked(1, '0xfff7f7ff', '0x1')],
  ['argument 0 is not AF_VSOCK', 'socket', { argument: 0, op: 'SCMP_CMP_NE', value: '0x28' }],
  ['argument 1 is SOL_SOCKET, argument 2 is SO_REUSEADDR', 'setsockopt', equal(1, '0x1'), equal(2, '0x2')],
  ['argument 1 is SOL_TCP, argument 2 is TCP_NODELAY', 'setsockopt', equal(1, '0x6'), equal(2, '0x1')],
  ['argument 1 is SOL_UDP, argument 2 is 0x1', 'setsockopt', equal(1, '0x11'), equal(2, '0x1')],
  ['argument 2 is 0x1', 'setsockopt', equal(2, '0x1')],
  ['argument 2 without PROT_WRITE', 'mprotect', masked(2, '0x2', '0x0')],
  ['argument 2 with PROT_READ', 'mprotect', masked(2, '0x1', '0x1')],
  ['argument 2 & 0x6 is PROT_WRITE', 'mprotect', masked(2, '0x6', '0x2')],
  ['argument 1 without SOCK_NONBLOCK', 'socket', masked(1, '0x800', '0x0')],
  ['argument 0 without 0x4', 'prctl', masked(0, '0x4', '0x0')],
  ['argument 1 is FUTEX_WAKE', 'futex', masked(1, '0xfffffe7f', '0x1')],
  ['argument 1 is 0xabc', 'ioctl', equal(1, '0xabc')],
  ['argument 0 <= 0x123456789a', 'brk', { argument: 0, op: 'SCMP_CMP_LE', value: '0x123456789a' }],
  [
    'argument 0 >= 0x3, argument 0 < 0x400',
    'dup3',
    { argument: 0, op: 'SCMP_CMP_GE', value: '0x3' },
    { argument: 0, op: 'SCMP_CMP_LT', value: '0x400' },
  ],
])('describes conditions: %s', (words, call, ...conditions) => {
  expect(describeConditions(call, conditions)).toBe(words);
});
