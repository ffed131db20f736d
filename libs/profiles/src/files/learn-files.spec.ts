import { describe, expect, it } from 'vitest';
import { mergeRecordings, type RecordedRun } from '../learn/merge.js';
import { parseProfile } from '../model/parse-profile.js';
import { canonicalProfile } from '../model/parse-profile.js';
import { type Profile } from '../model/profile.js';
import { type Recording } from '../model/recording.js';
import { proposedPids } from './learn-files.js';
import { recordingOf } from './recordings.fixture.js';

const OPTIONS = { needed: 2, distinctInputs: 2 };
const approved: Profile = {
  version: 1,
  architecture: 'x86_64',
  rules: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
};

function run(inputsDigest: string, uses: readonly string[] | null, other: Partial<Recording> = {}): RecordedRun {
  const { files, ...names } = recordingOf(uses ?? [], other);
  return { digest: '', inputsDigest, exitCode: 0, recording: uses && files ? { ...names, files } : names };
}

function merged(runs: readonly RecordedRun[], basedOn: Profile | null = null) {
  const result = mergeRecordings(runs, { ...OPTIONS, basedOn });
  if (result.kind !== 'profile') throw new Error(result.kind);
  expect(parseProfile(canonicalProfile(result.profile))).toEqual(result.profile);
  return result;
}

describe('file rules of a merged profile', () => {
  it('come from the recordings that hold files, and say in how many of those they were used', () => {
    const { profile, coverage } = merged([
      run('a', ['read /etc/hostid', 'read /opt/t/1', 'read /opt/t/2', 'read /opt/t/3']),
      run('b', ['read /opt/t/1']),
      run('c', null),
    ]);
    expect(profile.files).toEqual([
      { path: '/etc/hostid', rights: ['read'] },
      { path: '/opt/t', rights: ['read'] },
    ]);
    expect(coverage).toMatchObject({
      read: { seenIn: 3, of: 3 },
      'file:/etc/hostid': { seenIn: 1, of: 2 },
      'file:/opt/t': { seenIn: 2, of: 2 },
    });
  });

  it('wait until recordings with files are enough by themselves, in number and in inputs', () => {
    expect(merged([run('a', ['read /etc/hostid']), run('b', null)]).profile).not.toHaveProperty('files');
    expect(merged([run('a', ['read /x']), run('a', ['read /y']), run('b', null)]).profile).not.toHaveProperty('files');
  });

  it('may say that nothing more than usual is needed', () => {
    expect(merged([run('a', []), run('b', [])]).profile.files).toEqual([]);
  });

  it('may narrow a version without any, and only widen one that has them', () => {
    const runs = [run('a', ['read /etc/hostid']), run('b', ['read /etc/hostid'])];
    expect(merged(runs, approved).profile.files).toEqual([{ path: '/etc/hostid', rights: ['read'] }]);
    const before: Profile = {
      ...approved,
      files: [{ path: '/etc/group', rights: ['read'] }],
      landlockMinimum: 'FULLY_ENFORCED',
    };
    const { profile, coverage } = merged(runs, before);
    expect(profile.files).toEqual([
      { path: '/etc/group', rights: ['read'] },
      { path: '/etc/hostid', rights: ['read'] },
    ]);
    expect(profile.landlockMinimum).toBe('FULLY_ENFORCED');
    expect(coverage['file:/etc/group']).toEqual({ seenIn: 0, of: 2 });
  });

  it('stay as they were without recordings of files', () => {
    const before: Profile = { ...approved, files: [{ path: '/etc/group', rights: ['read'] }], pids: 24 };
    expect(merged([run('a', null), run('b', null)], before).profile).toMatchObject({ files: before.files, pids: 24 });
  });
});

describe('the limit of processes', () => {
  it('is twice what was seen at most, where enough recordings counted', () => {
    const counted = (inputs: string, peakTasks: number) => run(inputs, null, { peakTasks });
    expect(merged([counted('a', 3), counted('b', 11), run('c', null)]).profile.pids).toBe(32);
    expect(merged([counted('a', 11), run('b', null)]).profile).not.toHaveProperty('pids');
    expect(merged([counted('a', 11), counted('b', 0)]).profile).not.toHaveProperty('pids');
    expect(merged([counted('a', 1), counted('b', 1)], { ...approved, pids: 100 }).profile.pids).toBe(100);
    expect(merged([counted('a', 60), counted('b', 1)], { ...approved, pids: 100 }).profile.pids).toBe(128);
  });

  it.each([
    [1, 16],
    [8, 16],
    [9, 32],
    [16, 32],
    [100, 256],
    [4_000_000, 4_194_304],
  ])('is a round number that a reviewer can think about: %i makes %i', (peak, pids) => {
    expect(proposedPids(peak)).toBe(pids);
  });
});
