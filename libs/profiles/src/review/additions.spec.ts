import { describe, expect, it } from 'vitest';
import { learn, recordingOf } from '../learn/recordings.fixture.js';
import { type Condition, type Hex } from '../model/condition.js';
import { type Profile, type Rule } from '../model/profile.js';
import { additionsOf, needsReason } from './additions.js';

const allow = (name: string, ...args: Condition[]): Rule => ({
  ...{ names: [name], action: 'SCMP_ACT_ALLOW' as const },
  ...(args.length > 0 && { args }),
});
const masked = (argument: number, mask: Hex, value: Hex): Condition => ({
  ...{ argument, op: 'SCMP_CMP_MASKED_EQ' as const, mask, value },
});
const equal = (argument: number, value: Hex): Condition => ({ argument, op: 'SCMP_CMP_EQ', value });
const profile = (rules: readonly Rule[], members: Partial<Profile> = {}): Profile => ({
  ...{ version: 1, architecture: 'x86_64', rules, network: 'none' },
  ...members,
});
const before = profile([allow('read')]);
const classesOf = (...rules: Rule[]) => additionsOf(profile([allow('read'), ...rules]), before).classes;

describe('what a version adds', () => {
  it('is told by class, from basic to dangerous', () => {
    expect(additionsOf(before, before)).toEqual({ classes: [], isBeyondCalls: false });
    expect(additionsOf(before, null)).toEqual({ classes: ['basic'], isBeyondCalls: false });
    expect(classesOf(allow('ptrace'), allow('mkdir'), allow('write'), allow('kill'))).toEqual([
      ...['basic', 'harmless', 'authority', 'dangerous'],
    ]);
  });

  it('is basic where a basic call keeps to its fixed conditions, and authority where it may be made with more', () => {
    expect(classesOf(allow('clone', masked(0, '0x7e030900', '0x10900')))).toEqual(['basic']);
    expect(classesOf(allow('clone', masked(0, '0xffffff00', '0x3d0f00')))).toEqual(['basic']);
    expect(classesOf(allow('clone', masked(0, '0xffffff00', '0x1200000')))).toEqual(['basic']);
    expect(classesOf(allow('clone', masked(0, '0xffffff00', '0x10000000')))).toEqual(['authority']);
    expect(classesOf(allow('clone'))).toEqual(['authority']);
    expect(classesOf(allow('mprotect', masked(2, '0x7', '0x3')))).toEqual(['basic']);
    expect(classesOf(allow('mprotect', masked(2, '0x7', '0x7')))).toEqual(['authority']);
    expect(classesOf(allow('fcntl', equal(1, '0x3')), allow('prctl', equal(0, '0xf')))).toEqual(['basic']);
    expect(classesOf(allow('prctl', equal(0, '0x4')))).toEqual(['authority']);
    expect(classesOf(allow('ioctl'))).toEqual(['authority']);
    expect(classesOf(allow('renameat2', equal(4, '0x4')))).toEqual(['authority']);
  });

  it('includes calls that were there, and may be made with more arguments now', () => {
    const held = profile([allow('socket', equal(0, '0x1'))]);
    expect(
      additionsOf(profile([allow('socket', equal(0, '0x1')), allow('socket', equal(0, '0x2'))]), held).classes,
    ).toEqual(['authority']);
    expect(additionsOf(profile([allow('socket', equal(0, '0x1'), equal(1, '0x1'))]), held).classes).toEqual([]);
    expect(additionsOf(profile([allow('socket')]), held).classes).toEqual(['authority']);
    expect(additionsOf(held, profile([allow('socket')])).classes).toEqual([]);
  });

  it('is basic and harmless for all that a quiet program was learned with', () => {
    const learned = learn([recordingOf([['openat'], ['mmap', 3, 0x22], ['fcntl', 8]])]);
    expect(additionsOf(profile(learned.rules), null).classes).toEqual(
      expect.arrayContaining(['basic', 'harmless', 'authority']),
    );
    const quiet = learn([recordingOf([['openat'], ['mmap', 3, 0x22], ['fcntl', 3], ['futex', 0]])]);
    expect(additionsOf(profile(quiet.rules), null).classes).toEqual(['basic', 'harmless']);
  });

  it.each<[what: string, more: boolean, previous: Partial<Profile>, now: Partial<Profile>]>([
    ['no rules any more', true, { files: [] }, {}],
    ['rules where there were none', false, {}, { files: [{ path: '/a', rights: ['read'] }] }],
    ['another rule', true, { files: [] }, { files: [{ path: '/a', rights: ['read'] }] }],
    [
      'another right',
      true,
      { files: [{ path: '/a', rights: ['read'] }] },
      { files: [{ path: '/a', rights: ['read', 'write'] }] },
    ],
    ['fewer rules', false, { files: [{ path: '/a', rights: ['read'] }] }, { files: [] }],
    ['more processes', true, { pids: 4 }, { pids: 5 }],
    ['no limit of processes any more', true, { pids: 4 }, {}],
    ['a limit of processes', false, {}, { pids: 5 }],
    ['less of Landlock', true, { landlockMinimum: 'FULLY_ENFORCED' }, { landlockMinimum: 'PARTIALLY_ENFORCED' }],
    ['more of Landlock', false, {}, { landlockMinimum: 'FULLY_ENFORCED' }],
  ])('says of %s whether it grants more: %s', (_what, more, previous, now) => {
    const additions = additionsOf(profile([allow('read')], now), profile([allow('read')], previous));
    expect(additions).toEqual({ classes: [], isBeyondCalls: more });
    expect(needsReason(additions)).toBe(more);
  });

  it('needs a reason where it gives authority', () => {
    expect(needsReason(additionsOf(profile([allow('mkdir')]), before))).toBe(false);
    expect(needsReason(additionsOf(profile([allow('kill')]), before))).toBe(true);
    expect(needsReason(additionsOf(profile([allow('ptrace')]), before))).toBe(true);
    expect(needsReason(additionsOf(profile([allow('read')], { files: [] }), null))).toBe(true);
  });
});
