import { describe, expect, it } from 'vitest';
import { type Profile } from '../model/profile.js';
import { lintProfile } from './lint.js';

const profile = (...names: string[]): Profile => ({
  version: 1,
  architecture: 'x86_64',
  rules: [{ names: names.sort(), action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
});
const kinds = (...names: string[]) => lintProfile(profile(...names)).map(({ name, kind }) => `${name} ${kind}`);

describe('lintProfile', () => {
  it('has nothing to say about the calls of an ordinary program', () => {
    expect(kinds('read', 'write', 'openat', 'mmap', 'futex', 'exit_group')).toEqual([]);
  });

  it('warns of risky calls', () => {
    expect(kinds('read', 'ptrace', 'execve', 'socket')).toEqual(['execve risky', 'ptrace risky', 'socket risky']);
  });

  it('tells what stays refused, and by what', () => {
    const warnings = lintProfile(profile('bpf', 'clone3', 'nfsservctl', 'kcmp'));
    expect(warnings.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'bpf withheld',
      'clone3 withheld',
      'kcmp withheld',
      'nfsservctl withheld',
    ]);
    expect(warnings[0]?.reason).toMatch(/ceiling.*loads programs into the kernel/);
    expect(warnings[1]?.reason).toMatch(/guard/);
    expect(warnings[2]?.reason).toMatch(/default/);
  });

  it('follows the ceiling that it is given', () => {
    expect(lintProfile(profile('read'), {}, ['read'])).toEqual([
      expect.objectContaining({ name: 'read', kind: 'withheld', reason: expect.stringContaining('administrator') }),
    ]);
  });

  it('points at calls that one of several recordings had', () => {
    const coverage = { read: { seenIn: 3, of: 3 }, futex: { seenIn: 1, of: 3 }, brk: { seenIn: 0, of: 3 } };
    expect(lintProfile(profile('read', 'futex', 'brk'), coverage)).toEqual([
      { name: 'futex', kind: 'rare', reason: 'seen in 1 of 3 recordings only' },
    ]);
    expect(lintProfile(profile('read'), { read: { seenIn: 1, of: 1 } })).toEqual([]);
  });

  it('warns of every call that has authority of its own, in the words of the table', () => {
    const added = ['kill', 'seccomp', 'memfd_secret', 'shmat', 'splice', 'setxattr', 'io_submit', 'waitid', 'sync'];
    expect(kinds(...added)).toEqual([...added].sort().map((name) => `${name} risky`));
    expect(lintProfile(profile('kill'))[0]?.reason).toBe('sends signals to any process of the payload');
  });
});
