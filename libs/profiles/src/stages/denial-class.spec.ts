import { describe, expect, it } from 'vitest';
import { type DeniedCall, denialClass, isProbe } from './denial-class.js';

const denied = (call: string, number: number, changes: Partial<DeniedCall> = {}): DeniedCall => ({
  ...{ call, number, architecture: 'x86_64', errno: 'EPERM', ...changes },
});

describe('the class of a denial', () => {
  it.each([
    ['a call of the table, by its name', denied('mkdir', 83, { errno: 'ENOSYS' }), 'harmless'],
    ['one that gives authority', denied('socket', 41), 'authority'],
    ['one that is basic, and was made with arguments of its own', denied('clone', 56), 'basic'],
    ['a dangerous one, whatever its answer', denied('mount', 165), 'dangerous'],
    ['a dangerous one, answered as if the kernel had it not', denied('keyctl', 250, { errno: 'ENOSYS' }), 'dangerous'],
    ['a dangerous one that ended the payload', { call: 'ptrace', number: 101, architecture: 'x86_64' }, 'dangerous'],
    ['a name that the table does not have', denied('newcall', 0), 'dangerous'],
    ['a number that no kernel of the table has', denied('call 1000', 1000, { errno: 'ENOSYS' }), 'harmless'],
    [
      'such a number on another machine',
      denied('call 600', 600, { architecture: 'aarch64', errno: 'ENOSYS' }),
      'harmless',
    ],
    ['-1', denied('call -1', -1, { errno: 'ENOSYS' }), 'harmless'],
    ['such a number that was answered otherwise', denied('call 1000', 1000), 'dangerous'],
    ['such a number that ended the payload', { call: 'call 1000', number: 1000, architecture: 'x86_64' }, 'dangerous'],
    ["glibc's first try at a thread", denied('clone3', 435, { errno: 'ENOSYS' }), 'harmless'],
    ['a file', denied('file', -1, { errno: 'EACCES' }), 'authority'],
    ['a file, whatever its answer', denied('file', -1, { errno: 'ENOSYS' }), 'authority'],
    [
      'a call of i386, harmless as it may be',
      denied('call 20', 20, { architecture: 'i386', errno: 'ENOSYS' }),
      'dangerous',
    ],
    ['one of x32', denied('call 1073741934', 0x4000006e, { architecture: 'x32', errno: 'ENOSYS' }), 'dangerous'],
    ['one of an ABI without a name', denied('call 1', 1, { architecture: '0x16', errno: 'ENOSYS' }), 'dangerous'],
  ] as const)('is that of %s', (_name, call, expected) => {
    expect(denialClass(call)).toBe(expected);
  });
});

it('is a probe only where the answer is that of a kernel without the call', () => {
  const calls = [
    denied('clone3', 435, { errno: 'ENOSYS' }),
    denied('call 1000', 1000, { errno: 'ENOSYS' }),
    denied('clone3', 435),
    denied('mkdir', 83, { errno: 'ENOSYS' }),
    denied('call 1000', 1000, { architecture: 'i386', errno: 'ENOSYS' }),
    denied('file', -1, { errno: 'ENOSYS' }),
  ];
  expect(calls.map(isProbe)).toEqual([true, true, false, false, false, false]);
});
