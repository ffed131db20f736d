import { describe, expect, it } from 'vitest';
import { type FileRight, type FileRule } from '../model/files.js';
import { type Profile } from '../model/profile.js';
import { diffFileMembers, diffFiles } from './diff-files.js';

const rule = (path: string, ...rights: FileRight[]): FileRule => ({ path, rights });
const UNCHANGED = { restrictedBefore: true, restrictedNow: true, added: [], removed: [], widened: [], narrowed: [] };
const profile = (members: Partial<Profile>): Profile => ({
  version: 1,
  architecture: 'x86_64',
  rules: [],
  network: 'none',
  ...members,
});

describe('diffFiles', () => {
  it('tells what is granted where nothing was, and where nothing is any more', () => {
    expect(diffFiles([rule('/a', 'read')], [rule('/b', 'read', 'execute')])).toEqual({
      ...UNCHANGED,
      added: [{ ...rule('/b', 'read', 'execute'), replaces: [] }],
      removed: [rule('/a', 'read')],
    });
  });

  it('takes files whose directory became a tree for part of it, not for removed', () => {
    const before = [rule('/lib/a', 'read'), rule('/lib/b', 'read', 'execute')];
    expect(diffFiles(before, [rule('/lib', 'read'), rule('/lib/b', 'read', 'execute')])).toEqual({
      ...UNCHANGED,
      added: [{ ...rule('/lib', 'read'), replaces: ['/lib/a'] }],
    });
  });

  it('tells rights gained and lost at one path, in a tree or by a tree above', () => {
    expect(diffFiles([rule('/a', 'read')], [rule('/a', 'write')])).toEqual({
      ...UNCHANGED,
      widened: [rule('/a', 'write')],
      narrowed: [rule('/a', 'read')],
    });
    expect(diffFiles([rule('/a', 'read')], [rule('/a', 'read'), rule('/a/b', 'read', 'create')])).toEqual({
      ...UNCHANGED,
      widened: [rule('/a/b', 'create')],
    });
    expect(diffFiles([rule('/a', 'read'), rule('/a/b', 'read', 'write')], [rule('/a', 'read')])).toEqual({
      ...UNCHANGED,
      narrowed: [rule('/a/b', 'write')],
    });
  });

  it('tells a tree that shrank to one of its files by what is gone', () => {
    expect(diffFiles([rule('/a', 'read')], [rule('/a/b', 'read')])).toEqual({
      ...UNCHANGED,
      removed: [rule('/a', 'read')],
    });
  });

  it('has nothing to tell of equal rules', () => {
    expect(diffFiles([rule('/a', 'read')], [rule('/a', 'read')])).toEqual(UNCHANGED);
  });

  it('tells rules of the first version that has any from a version without, where all was granted', () => {
    expect(diffFiles(undefined, [rule('/a', 'read')])).toMatchObject({ restrictedBefore: false, restrictedNow: true });
    expect(diffFiles([rule('/a', 'read')], undefined)).toMatchObject({ restrictedBefore: true, restrictedNow: false });
  });
});

it('diffFileMembers compares limits, and is silent about what neither version has', () => {
  expect(diffFileMembers(profile({}), profile({}))).toEqual({ files: null, pids: null, landlockMinimum: null });
  const now = profile({ files: [], landlockMinimum: 'FULLY_ENFORCED', pids: 32 });
  expect(diffFileMembers(now, profile({ files: [], pids: 16 }))).toEqual({
    files: UNCHANGED,
    pids: { before: 16, now: 32 },
    landlockMinimum: { before: null, now: 'FULLY_ENFORCED' },
  });
  expect(diffFileMembers(now, null)).toMatchObject({
    files: { restrictedBefore: false },
    pids: { before: null, now: 32 },
  });
});
