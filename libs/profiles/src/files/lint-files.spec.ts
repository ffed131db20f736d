import { describe, expect, it } from 'vitest';
import { lintProfile } from '../review/lint.js';
import { visible } from '../kernel/visible-text.js';
import { type FileRight, type FileRule } from '../model/files.js';
import { type Profile } from '../model/profile.js';
import { lintFiles } from './lint-files.js';

const rule = (path: string, ...rights: FileRight[]): FileRule => ({ path, rights });
const profile = (...files: FileRule[]): Profile => ({
  version: 1,
  architecture: 'x86_64',
  rules: [{ names: ['execve'], action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
  files,
});
const reasons = (...files: FileRule[]) => lintFiles(profile(...files)).map(({ reason }) => reason);

describe('lintFiles', () => {
  it('has nothing to say about the files of an ordinary program', () => {
    const files = [
      rule('/etc/ld.so.cache', 'read'),
      rule('/opt/tool', 'read'),
      rule('/usr/bin/python3.11', 'read', 'execute'),
      rule('/usr/lib', 'read'),
      rule('{inputs}', 'read'),
      rule('{outputs}', 'read', 'write', 'create'),
    ];
    expect(lintFiles(profile(...files))).toEqual([]);
  });

  it.each<[FileRule, RegExp]>([
    [rule('/srv/cache', 'create'), /outside of outputs and temporary places/],
    [rule('{inputs}', 'read', 'write'), /outside of outputs and temporary places/],
    [rule('{temporary}', 'execute'), /written and then executed/],
    [rule('/srv/x', 'read', 'write', 'execute'), /written and then executed/],
    [rule('/usr/bin/dash', 'read', 'execute'), /is a shell/],
    [rule('/bin/busybox', 'read', 'execute'), /is a shell/],
    [rule('/usr/bin', 'read', 'execute'), /every program of a directory/],
    [rule('/usr', 'read', 'execute'), /every program of a directory/],
    [rule('/', 'read'), /whole tree/],
    [rule('/etc', 'read'), /lets \/etc\/passwd, \/etc\/shadow, .* be read/],
    [rule('/etc/passwd', 'read'), /names the image's users/],
    [rule('/etc/shadow', 'read'), /passwords/],
    [rule('/root/.bashrc', 'read'), /\/root is where root keeps/],
    [rule('/home/me/data', 'read'), /\/home is where people keep/],
    [rule('/srv/app/.ssh/id_ed25519', 'read'), /programs keep keys/],
    [rule('/proc', 'read'), /all processes/],
    [rule('/proc/1/cmdline', 'read'), /porin-init/],
    [rule('/usr/lib/\u202egpj.so', 'read'), /do not show/],
    [rule('/data/a\n/etc', 'read'), /do not show/],
    [rule('/data/a\u3164', 'read'), /do not show/],
    [rule('/data/a\u115f', 'read'), /do not show/],
    [rule('/data/a\u2800', 'read'), /do not show/],
    [rule('/data/a\u034f', 'read'), /do not show/],
    [rule('/data/a\u00a0b', 'read'), /do not show/],
  ])('warns of %j', (file, reason) => {
    const warnings = lintFiles(profile(file));
    expect(warnings.map((warning) => warning.reason)).toContainEqual(expect.stringMatching(reason));
    expect(warnings).toContainEqual(expect.objectContaining({ name: `file:${visible(file.path)}`, kind: 'risky' }));
  });

  it('does not take every name that ends like a shell for one', () => {
    expect(reasons(rule('/usr/bin/git-sh', 'read'), rule('/usr/bin/publish', 'read', 'execute'))).toEqual([]);
  });

  it('points at rules that few of several recordings used', () => {
    const coverage = { 'file:/opt/a\u3164': { seenIn: 2, of: 10 } };
    expect(lintFiles(profile(rule('/opt/a\u3164', 'read')), coverage)).toContainEqual({
      ...{ name: 'file:/opt/a\\u{3164}', kind: 'rare', reason: 'used in 2 of 10 recordings only' },
    });
  });

  it('points at rules that one of several recordings used', () => {
    const files = profile(rule('/opt/a', 'read'), rule('/opt/b', 'read'), rule('/opt/c', 'read'));
    const coverage = {
      'file:/opt/a': { seenIn: 3, of: 3 },
      'file:/opt/b': { seenIn: 1, of: 3 },
      'file:/opt/c': { seenIn: 1, of: 1 },
    };
    expect(lintFiles(files, coverage)).toEqual([
      { name: 'file:/opt/b', kind: 'rare', reason: 'used in 1 of 3 recordings only' },
    ]);
  });

  it('is part of what lintProfile says, after the calls', () => {
    const names = lintProfile(profile(rule('/etc/shadow', 'read'))).map(({ name }) => name);
    expect(names).toEqual(['execve', 'file:/etc/shadow']);
  });
});
