import { describe, expect, it } from 'vitest';
import { canonicalProfile, parseProfile, profileDigest } from '../model/parse-profile.js';
import { type Profile } from '../model/profile.js';
import { FILE_RULES_MAXIMUM } from './parse-files.js';
import { PATH_MAXIMUM_BYTES, PATH_MAXIMUM_NAMES } from './paths.js';

const profile: Profile = {
  version: 1,
  architecture: 'x86_64',
  rules: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
  files: [
    { path: '/etc/ld.so.cache', rights: ['read'] },
    { path: '/usr/bin/python3.11', rights: ['read', 'execute'] },
    { path: '/usr/lib', rights: ['read'] },
    { path: '/usr/lib/git-core', rights: ['read', 'execute'] },
    { path: '{temporary}', rights: ['read', 'write', 'create', 'execute'] },
  ],
  landlockMinimum: 'PARTIALLY_ENFORCED',
  pids: 32,
};
const withFiles = (...files: unknown[]) => ({ ...profile, files });
const rule = (path: unknown, ...rights: unknown[]) => ({ path, rights });

describe('file rules and limits as text', () => {
  it('come back unchanged, and each changes the digest', () => {
    expect(parseProfile(canonicalProfile(profile))).toEqual(profile);
    const { files: _files, landlockMinimum: _minimum, pids: _pids, ...without } = profile;
    const digests = [
      without,
      { ...without, pids: 32 },
      { ...without, pids: 33 },
      { ...without, files: [] },
      { ...without, files: profile.files ?? [] },
      { ...without, files: profile.files ?? [], landlockMinimum: 'PARTIALLY_ENFORCED' as const },
      { ...without, files: profile.files ?? [], landlockMinimum: 'FULLY_ENFORCED' as const },
    ].map(profileDigest);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('have one text for one meaning, whatever a program puts together', () => {
    const turned = [...(profile.files ?? []), { path: '/usr/lib/x', rights: ['read'] as const }].reverse();
    expect(canonicalProfile({ ...profile, files: turned })).toBe(canonicalProfile(profile));
  });

  it('may be absent, which is something else than none', () => {
    const { files: _files, landlockMinimum: _minimum, pids: _pids, ...without } = profile;
    expect(parseProfile(canonicalProfile(without))).toEqual(without);
    expect(parseProfile(canonicalProfile({ ...without, files: [] }))).toEqual({ ...without, files: [] });
  });

  it.each<[string, unknown]>([
    ['$.files', { ...profile, files: null }],
    ['$.files', { ...profile, files: {} }],
    ['$.files', withFiles(...Array.from({ length: FILE_RULES_MAXIMUM + 1 }, (_, i) => rule(`/a${1000 + i}`, 'read')))],
    ['$.files[0]', withFiles('/usr')],
    ['$.files[0].mode', withFiles({ ...rule('/usr', 'read'), mode: 7 })],
    ['$.files[0].path', withFiles({ rights: ['read'] })],
    ['$.files[0].path', withFiles(rule(7, 'read'))],
    ['$.files[0].path', withFiles(rule('usr', 'read'))],
    ['$.files[0].path', withFiles(rule('', 'read'))],
    ['$.files[0].path', withFiles(rule('/usr/', 'read'))],
    ['$.files[0].path', withFiles(rule('//usr', 'read'))],
    ['$.files[0].path', withFiles(rule('/usr//lib', 'read'))],
    ['$.files[0].path', withFiles(rule('/usr/./lib', 'read'))],
    ['$.files[0].path', withFiles(rule('/usr/../etc', 'read'))],
    ['$.files[0].path', withFiles(rule('/..', 'read'))],
    ['$.files[0].path', withFiles(rule('/usr\0/etc', 'read'))],
    ['$.files[0].path', withFiles(rule('/usr\ud800', 'read'))],
    ['$.files[0].path', withFiles(rule(`/${'ä'.repeat((PATH_MAXIMUM_BYTES + 1) / 2)}`, 'read'))],
    ['$.files[0].path', withFiles(rule('/a'.repeat(PATH_MAXIMUM_NAMES + 1), 'read'))],
    ['$.files[0].path', withFiles(rule('{inputs}/a', 'read'))],
    ['$.files[0].path', withFiles(rule('{home}', 'read'))],
    ['$.files[0].rights', withFiles(rule('/usr'))],
    ['$.files[0].rights', withFiles({ path: '/usr', rights: 'read' })],
    ['$.files[0].rights[0]', withFiles(rule('/usr', 'Read'))],
    ['$.files[0].rights[1]', withFiles(rule('/usr', 'execute', 'read'))],
    ['$.files[0].rights[1]', withFiles(rule('/usr', 'read', 'read'))],
    ['$.files[1].path', withFiles(rule('/usr', 'read'), rule('/etc', 'read'))],
    ['$.files[1].path', withFiles(rule('/usr', 'read'), rule('/usr', 'execute'))],
    ['$.files[1].rights', withFiles(rule('/usr', 'read'), rule('/usr/lib', 'read'))],
    ['$.files[1].rights', withFiles(rule('/usr', 'read'), rule('/usr/lib', 'execute'))],
    ['$.files[1].rights', withFiles(rule('/', 'read', 'write'), rule('/usr/lib/x', 'read'))],
    ['$.landlockMinimum', { ...profile, landlockMinimum: 'NOT_ENFORCED' }],
    ['$.landlockMinimum', { ...profile, landlockMinimum: 'fully' }],
    ['$.landlockMinimum', { ...profile, files: undefined }],
    ['$.pids', { ...profile, pids: 0 }],
    ['$.pids', { ...profile, pids: 1.5 }],
    ['$.pids', { ...profile, pids: '16' }],
    ['$.pids', { ...profile, pids: null }],
    ['$.pids', { ...profile, pids: 2 ** 22 + 1 }],
  ])('are refused with the place of the fault, %s', (at, broken) => {
    expect(() => parseProfile(JSON.stringify(broken))).toThrow(expect.objectContaining({ at }));
  });

  it('take the longest path that the kernel takes', () => {
    const path = `/${'a'.repeat(PATH_MAXIMUM_BYTES - 1)}`;
    expect(parseProfile(JSON.stringify(withFiles(rule(path, 'read')))).files).toEqual([rule(path, 'read')]);
  });

  it('say which right of a rule above is left out', () => {
    const text = JSON.stringify(withFiles(rule('/usr', 'read'), rule('/usr/bin', 'execute')));
    expect(() => parseProfile(text)).toThrow(/must hold "read", which a rule above "\/usr\/bin" gives/);
  });
});
