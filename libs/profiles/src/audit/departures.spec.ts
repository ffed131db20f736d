import { describe, expect, it } from 'vitest';
import { learn, recordingOf, rule } from '../learn/recordings.fixture.js';
import { type Profile } from '../model/profile.js';
import { type FileUse, type Recording } from '../model/recording.js';
import { auditKind } from './audit-kind.js';
import { departures, isOutside } from './departures.js';

const taught = learn([recordingOf([['openat'], ['fcntl', 8], ['socket', 1, 1, 0]])]);
const file = (access: FileUse['access'], path: string, result = 'ok'): FileUse => ({
  ...{ access, path, result, resolved: true, count: 2 },
});

describe('what a run did beside its profile', () => {
  it('is nothing where it did what was learned, what is basic, and what belongs to it', () => {
    const recording = recordingOf([['openat'], ['unlinkat'], ['fcntl', 8], ['fcntl', 3], ['madvise', 4], ['futex', 0]]);
    expect(departures(recording, taught)).toEqual([]);
  });

  it('is a call outside the profile, with its exact count', () => {
    const recording = recordingOf([['openat']]);
    const more = { ...recording, calls: { ...recording.calls, kill: 7, splice: 1, pause: 0 } };
    expect(departures(more, taught)).toEqual([
      { kind: 'call', call: 'kill', values: {}, count: 7 },
      { kind: 'call', call: 'splice', values: {}, count: 1 },
    ]);
    expect(['kill', 'openat', 'exit_group'].map(isOutside(taught))).toEqual([true, false, false]);
  });

  it('is a use with other arguments than the profile allows', () => {
    const recording = recordingOf([
      ['fcntl', 1024],
      ['socket', 16, 3, 0],
      ['socket', 1, 2, 0],
      ['madvise', 9],
    ]);
    expect(departures(recording, taught)).toEqual([
      { kind: 'call', call: 'fcntl', values: { 1: '0x400' }, count: 3 },
      { kind: 'call', call: 'madvise', values: { 2: '0x9' }, count: 3 },
      { kind: 'call', call: 'socket', values: { 0: '0x10', 1: '0x3', 2: '0x0' }, count: 3 },
    ]);
  });

  it('is undecided, and so nothing, for conditions on what no recording holds', () => {
    const profile: Profile = { ...taught, rules: [rule('kill', { argument: 1, op: 'SCMP_CMP_EQ', value: '0x9' })] };
    expect(departures(recordingOf([['kill']]), profile).filter(({ kind }) => kind === 'call')).toEqual([]);
  });

  it('is a call that the engine refuses anyway and the profile does not know of', () => {
    const recording: Recording = { ...recordingOf([]), refused: { mbind: { EPERM: 4 }, mount: { EPERM: 1 } } };
    expect(departures(recording, taught)).toEqual([{ kind: 'refused', call: 'mbind', errno: 'EPERM', count: 4 }]);
    expect(departures(recording, learn([recording]))).toEqual([]);
  });

  it('is a file beyond the rules, where there are rules', () => {
    const files = [
      ...[file('read', '{inputs}/a'), file('write', '{outputs}/b'), file('read', '/etc/fonts/fonts.conf')],
      ...[
        file('read', '/data/one'),
        file('read', '/data/two', 'ENOENT'),
        file('list', '/srv'),
        file('create', '/run/x'),
      ],
    ];
    const recording = { ...recordingOf([['openat']]), files };
    expect(departures(recording, taught)).toEqual([]);
    const restricted: Profile = { ...taught, files: [{ path: '/srv', rights: ['list'] }] };
    expect(departures(recording, restricted)).toEqual([
      { kind: 'file', access: 'read', path: '/data/one', count: 2 },
      { kind: 'file', access: 'create', path: '/run/x', count: 2 },
    ]);
  });
});

describe('the kind of recording that an audit needs', () => {
  it('is as much as the rules speak of', () => {
    const names: Profile = { ...taught, rules: [rule('read')] };
    expect([auditKind(names), auditKind(taught), auditKind({ ...names, files: [] })]).toEqual([
      ...['syscalls', 'arguments', 'files'],
    ]);
  });
});
