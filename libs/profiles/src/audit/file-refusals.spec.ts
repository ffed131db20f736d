import { describe, expect, it } from 'vitest';
import { recordingOf } from '../learn/recordings.fixture.js';
import { type FileRule } from '../model/files.js';
import { type FileUse, type Recording, type SocketUse } from '../model/recording.js';
import { fileRefusals } from './file-refusals.js';

const RULES: readonly FileRule[] = [
  { path: '/opt/tool', rights: ['read', 'execute'] },
  { path: '/srv', rights: ['list'] },
];
const use = (access: FileUse['access'], path: string, result = 'EACCES', resolved = true): FileUse => ({
  ...{ access, path, result, resolved, count: 2 },
});

/** "access path errno count" of each. */
function refusals(files: readonly FileUse[], changes: Partial<Recording> = {}, rules = RULES): readonly string[] {
  const recording = { ...recordingOf([['openat']]), files, ...changes };
  return fileRefusals(recording, { files: rules }).map((of) => `${of.access} ${of.path} ${of.errno} ${of.count}`);
}

describe('what Landlock refused', () => {
  it('is what was answered EACCES and no rule grants, each access with its count', () => {
    const uses = [
      use('read', '/etc/shadow'),
      use('write', '/opt/tool/run'),
      use('execute', '/bin/sh'),
      use('create', '/var/x'),
      use('rename-to', '/srv/y'),
      use('read', '/srv/data'),
      use('read', '/etc/secret', 'EACCES', false),
    ];
    expect(refusals(uses)).toEqual(uses.map(({ access, path }) => `${access} ${path} EACCES 2`));
  });

  it('is nothing that a rule grants, or that the run may always do: there its own permissions refused', () => {
    const uses = [
      use('read', '/opt/tool/private'),
      use('list', '/srv'),
      use('create', '{outputs}/x'),
      use('read', '{inputs}/a'),
      use('write', '/dev/null'),
      use('read', '/proc/self/mem'),
    ];
    expect(refusals(uses)).toEqual([]);
  });

  it('is nothing that succeeded or failed otherwise, and no move between two mounts', () => {
    const uses = [
      use('read', '/etc/shadow', 'ok'),
      use('read', '/etc/shadow', 'ENOENT'),
      use('create', '/etc/x', 'EROFS'),
      use('rename-from', '/usr/x', 'EXDEV'),
    ];
    expect(refusals(uses)).toEqual([]);
  });

  it('is what no rule can name', () => {
    const deep = `/${Array(70).fill('d').join('/')}`;
    const several = { calls: { vfork: 1 } };
    expect(refusals([use('write', '/proc/77/mem'), use('read', deep)], several)).toEqual([
      'write /proc/77/mem EACCES 2',
      `read ${deep} EACCES 2`,
    ]);
  });

  it('is what another process than the first asked of itself, unless /proc is granted', () => {
    const several = { calls: { openat: 1, vfork: 1 } };
    expect(refusals([use('read', '/proc/self/maps')], several)).toEqual(['read /proc/self/maps EACCES 2']);
    expect(refusals([use('read', '/proc/self/maps')], several, [{ path: '/proc', rights: ['read'] }])).toEqual([]);
  });

  it('is an abstract socket beyond the scope, and no other failure of a socket', () => {
    const socket = (address: string, result: string, family = 'AF_UNIX'): SocketUse => ({
      ...{ operation: 'connect', family, address, result, count: 3 },
    });
    const sockets = [
      socket('@neighbour', 'EPERM'),
      socket('@nobody', 'ECONNREFUSED'),
      socket('/run/x.sock', 'EPERM'),
      socket('10.0.0.1:80', 'EPERM', 'AF_INET'),
    ];
    expect(refusals([], { sockets })).toEqual(['connect @neighbour EPERM 3']);
  });

  it('is not known where the profile has no rules, or the recording no files', () => {
    expect(fileRefusals({ ...recordingOf([]), files: [use('read', '/etc/shadow')] }, {})).toEqual([]);
    expect(fileRefusals(recordingOf([]), { files: RULES })).toEqual([]);
  });
});
