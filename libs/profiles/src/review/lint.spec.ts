import { describe, expect, it } from 'vitest';
import { callClass, KNOWN_CALLS } from '../kernel/families.js';
import { syscallNumber } from '../kernel/syscalls.js';
import { type Condition, type Hex } from '../model/condition.js';
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

  it('points at calls that few of several recordings had', () => {
    const shares = [
      [1, 2],
      [1, 20],
      [2, 10],
      [2, 9],
      [3, 15],
      [4, 15],
      [20, 100],
      [21, 100],
      [1, 1],
      [0, 5],
    ] as const;
    const rare = shares.filter(([seenIn, of]) => lintProfile(profile('read'), { read: { seenIn, of } }).length > 0);
    expect(rare).toEqual([
      [1, 2],
      [1, 20],
      [2, 10],
      [3, 15],
      [20, 100],
    ]);
    expect(lintProfile(profile('read'), { read: { seenIn: 2, of: 10 } })).toEqual([
      { name: 'read', kind: 'rare', reason: 'seen in 2 of 10 recordings only' },
    ]);
  });

  it('says nothing of calls that all recordings had, one alone, or none', () => {
    const coverage = { read: { seenIn: 3, of: 3 }, futex: { seenIn: 1, of: 3 }, brk: { seenIn: 0, of: 3 } };
    expect(lintProfile(profile('read', 'futex', 'brk'), coverage)).toEqual([
      { name: 'futex', kind: 'rare', reason: 'seen in 1 of 3 recordings only' },
    ]);
    expect(lintProfile(profile('read'), { read: { seenIn: 1, of: 1 } })).toEqual([]);
  });

  it('warns of every call that has authority of its own, in the words of the table', () => {
    const added = KNOWN_CALLS.filter(
      (name) => ['authority', 'dangerous'].includes(callClass(name)) && syscallNumber('x86_64', name) !== undefined,
    );
    const named = (warnings: ReturnType<typeof lintProfile>) => [...new Set(warnings.map(({ name }) => name))];
    expect(named(lintProfile(profile(...added)))).toEqual(added);
    const granted = lintProfile(profile(...added), {}, [], added);
    expect(granted.filter(({ kind }) => kind !== 'risky').map(({ name }) => name)).toEqual(['clone3']);
    expect(named(granted)).toEqual(added);
    expect(lintProfile(profile('kill'))[0]?.reason).toBe('sends signals to any process of the payload');
  });

  it('warns of processes that clone may start, and not of threads', () => {
    const clone = (...args: Condition[]): Profile => ({
      ...profile('read'),
      rules: [{ names: ['clone'], action: 'SCMP_ACT_ALLOW', ...(args.length > 0 && { args }) }],
    });
    const flags = (mask: Hex, value: Hex): Condition => ({ argument: 0, op: 'SCMP_CMP_MASKED_EQ', mask, value });
    const said = (of: Profile) => lintProfile(of).map(({ name, reason }) => `${name} ${reason}`);
    const processes = ['clone starts processes, not only threads'];
    expect(said(clone())).toEqual(processes);
    expect(said(clone(flags('0xffffff00', '0x1200000')))).toEqual(processes);
    expect(said(clone(flags('0x7e030900', '0x10900')))).toEqual([]);
  });
});
