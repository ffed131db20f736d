import { expect, it } from 'vitest';
import { type Profile } from '../model/profile.js';
import { diffProfile } from './diff.js';

const profile = (...names: string[]): Profile => ({
  version: 1,
  architecture: 'x86_64',
  rules: names.map((name) => ({ names: [name], action: 'SCMP_ACT_ALLOW' })),
  network: 'none',
});

const NONE = { added: [], removed: [], unchanged: [] };
const NOTHING_ELSE = { quietRefusals: NONE, conditions: [], files: null, pids: null, landlockMinimum: null };

it('tells what was added, removed and kept against the previous version and the default', () => {
  expect(diffProfile(profile('write', 'read', 'bpf'), profile('read', 'mmap'), ['write', 'ptrace', 'read'])).toEqual({
    previous: { added: ['bpf', 'write'], removed: ['mmap'], unchanged: ['read'] },
    engineDefault: { added: ['bpf'], removed: ['ptrace'], unchanged: ['read', 'write'] },
    ...NOTHING_ELSE,
  });
});

it('has no previous version to compare a first one with', () => {
  expect(diffProfile(profile(), null, ['read'])).toEqual({
    previous: null,
    engineDefault: { added: [], removed: ['read'], unchanged: [] },
    ...NOTHING_ELSE,
  });
});

it('tells which calls are refused quietly now and were not before', () => {
  const refusing = (...names: string[]): Profile => ({
    ...profile('read'),
    rules: [...profile('read').rules, { names, action: 'SCMP_ACT_ERRNO', errnoRet: 1 }],
  });
  const { quietRefusals, previous } = diffProfile(refusing('mbind', 'set_mempolicy'), refusing('mbind'), ['read']);
  expect(quietRefusals).toEqual({ added: ['set_mempolicy'], removed: [], unchanged: ['mbind'] });
  expect(previous?.unchanged).toEqual(['read']);
});
