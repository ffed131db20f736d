import { describe, expect, it } from 'vitest';
import { denialClass, worstClass } from './denial-class.js';

describe('the class of a denied call', () => {
  it.each([
    ['basic', 'clone', 'x86_64', 'EPERM'],
    ['harmless', 'openat', 'x86_64', 'EPERM'],
    ['authority', 'kill', 'aarch64', 'EPERM'],
    ['authority', 'file', 'x86_64', 'EACCES'],
    ['dangerous', 'ptrace', 'x86_64', 'EPERM'],
    ['dangerous', 'call 41', 'i386', 'ENOSYS'],
    ['dangerous', 'call 1073741865', 'x32', 'ENOSYS'],
    ['dangerous', 'file', '0x16', null],
    ['dangerous', 'call 999', 'x86_64', 'EPERM'],
    ['dangerous', 'call -1', 'x86_64', null],
    [null, 'call 999', 'x86_64', 'ENOSYS'],
  ])('is %s of %s by %s, answered %s', (of, call, architecture, errno) => {
    expect(denialClass({ call, architecture, errno })).toBe(of);
  });

  it('is, of several, the worst', () => {
    expect(worstClass([])).toBeNull();
    expect(worstClass([null])).toBeNull();
    expect(worstClass(['harmless', null, 'authority', 'basic'])).toBe('authority');
  });
});
