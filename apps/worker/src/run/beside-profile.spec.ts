import { DenialList } from '#lib/execution';
import { type Profile, type Recording } from '#lib/profiles';
import { describe, expect, it } from 'vitest';
import { BesideProfile } from './beside-profile.js';

const PROFILE: Profile = {
  version: 1,
  architecture: 'x86_64',
  rules: [
    { names: ['openat', 'read'], action: 'SCMP_ACT_ALLOW' },
    { names: ['fcntl'], action: 'SCMP_ACT_ALLOW', args: [{ argument: 1, op: 'SCMP_CMP_EQ', value: '0x3' }] },
  ],
  network: 'none',
  files: [],
};
const RECORDING: Recording = {
  version: 1,
  architecture: 'x86_64',
  calls: { read: 9, kill: 5, fcntl: 4 },
  refused: { mbind: { EPERM: 2 } },
  certificate: {
    ...{ armedBeforeStart: true, started: true, cleanDrain: true, payloadEndedOnItsOwn: true },
    ...{ compatCalls: 0, x32Calls: 0, unknownCalls: 0, ioUringSetups: 0, recursionMisses: 0, mapFailures: 0 },
    ...{ foreignProcesses: 0, supervisorCalls: 0, execs: 1 },
  },
  partialReasons: [],
  arguments: [
    { call: 'fcntl', values: { 1: '0x3' }, count: 1, failures: {} },
    { call: 'fcntl', values: { 1: '0x400' }, count: 3, failures: {} },
  ],
  files: [{ path: '/srv/data', access: 'read', result: 'ok', resolved: true, count: 1 }],
};

describe('an audited run', () => {
  it('shows names while it goes on, and at its end everything once with its exact count', () => {
    const list = new DenialList();
    const audit = new BesideProfile(PROFILE, { enforcement: 'audit', landlock: false }, list);
    audit.takeCounts({ read: 2, kill: 1 });
    expect(list.denials.map(({ call, count, action }) => [call, count, action])).toEqual([['kill', 1, 'continued']]);
    audit.takeCounts({ read: 7, kill: 3 });
    audit.finish(RECORDING);
    expect(list.denials.map(({ description, count, action }) => [description, count, action])).toEqual([
      ['kill()', 5, 'continued'],
      ['fcntl(F_SETLEASE)', 3, 'continued'],
      ['mbind()', 2, 'refused'],
      ['read "/srv/data"', 1, 'continued'],
    ]);
  });
});

describe('an enforced run', () => {
  it('shows the files that Landlock refused, and nothing else of its recording', () => {
    const list = new DenialList();
    const beside = new BesideProfile(PROFILE, { enforcement: 'enforce', landlock: true }, list);
    beside.takeCounts({ kill: 1 });
    beside.finish({
      ...RECORDING,
      files: [{ path: '/srv/data', access: 'read', result: 'EACCES', resolved: true, count: 2 }],
    });
    expect(list.denials).toMatchObject([
      { call: 'file', action: 'refused', errno: 'EACCES', description: 'read "/srv/data"', count: 2 },
    ]);
    expect(beside.refusedFiles).toEqual(list.denials);
  });
});
