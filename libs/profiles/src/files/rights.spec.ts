import { describe, expect, it } from 'vitest';
import { type FileRule } from '../model/files.js';
import { lines, useOf } from './recordings.fixture.js';
import { canonicalFiles, grants } from './rights.js';

const rules: FileRule[] = [
  { path: '/data', rights: ['read'] },
  { path: '/data/run', rights: ['execute'] },
  { path: '/data/new', rights: ['write', 'create'] },
  { path: '{outputs}', rights: ['create'] },
];

describe('canonicalFiles', () => {
  it('writes in each line all that holds at its path', () => {
    expect(lines(canonicalFiles(rules))).toEqual([
      '/data read',
      '/data/new read write create',
      '/data/run read execute',
      '{outputs} create',
    ]);
  });

  it('unites lines of one path and leaves out what adds nothing, over any number of levels', () => {
    const files: FileRule[] = [
      { path: '/a/b/c/d', rights: ['read'] },
      { path: '/a', rights: ['write'] },
      { path: '/a', rights: ['read'] },
      { path: '/ab', rights: ['read'] },
      { path: '/', rights: ['execute'] },
    ];
    expect(lines(canonicalFiles(files))).toEqual(['/ execute', '/a read write execute', '/ab read execute']);
  });

  it('gives one text for one meaning', () => {
    const once = canonicalFiles(rules);
    expect(canonicalFiles([...once].reverse())).toEqual(once);
    expect(canonicalFiles([...rules, { path: '/data/deep/er', rights: ['read'] }])).toEqual(once);
  });
});

describe('grants', () => {
  it.each<[string, boolean]>([
    ['read /data', true],
    ['list /data', true],
    ['read /data/a/b', true],
    ['read /database', false],
    ['read /', false],
    ['write /data/a', false],
    ['execute /data/run', true],
    ['execute /data/a', false],
    ['create /data/new/file', true],
    ['write /data/new/file', true],
    ['truncate /data/new/file', true],
    ['remove /data/new/a/b', true],
    ['create /data/new', false],
    ['rename-from /data/a', false],
    ['rename-to /data/new/a', true],
    ['link /data/new/a', true],
    ['create {outputs}/a', true],
    ['write {outputs}/a', false],
    ['create {output}/a', false],
  ])('as Landlock would: %s is %s', (use, granted) => {
    expect(grants(rules, useOf(use))).toBe(granted);
  });

  it('takes reading for executing, as the kernel does', () => {
    expect(grants([{ path: '/bin/a', rights: ['execute'] }], useOf('execute /bin/a'))).toBe(false);
  });

  it('goes up to the root', () => {
    expect(grants([{ path: '/', rights: ['read'] }], useOf('read /etc/passwd'))).toBe(true);
  });
});
