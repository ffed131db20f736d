import { describe, expect, it } from 'vitest';
import { allowedNames } from '../model/parse-profile.js';
import { type Profile } from '../model/profile.js';
import { type PartialReason, type Recording } from '../model/recording.js';
import { mergeRecordings, type RecordedRun, recordingDigest } from './merge.js';

const NEED = { needed: 3, distinctInputs: 2 };

function recordingOf(names: readonly string[], partialReasons: PartialReason[] = []): Recording {
  return {
    version: 1,
    architecture: 'x86_64',
    calls: Object.fromEntries(names.map((name) => [name, 2])),
    certificate: {
      armedBeforeStart: true,
      started: true,
      cleanDrain: true,
      payloadEndedOnItsOwn: true,
      compatCalls: 0,
      x32Calls: 0,
      unknownCalls: 0,
      ioUringSetups: 0,
      recursionMisses: 0,
      mapFailures: 0,
      foreignProcesses: 0,
      supervisorCalls: 4,
      execs: 1,
    },
    partialReasons,
  };
}

function run(inputsDigest: string, names: readonly string[], other: Partial<RecordedRun> = {}): RecordedRun {
  const recording = recordingOf(names);
  return { digest: recordingDigest(recording), inputsDigest, exitCode: 0, recording, ...other };
}

const approved: Profile = {
  version: 1,
  architecture: 'x86_64',
  rules: [{ names: ['kill', 'mmap', 'read'], action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
};

describe('mergeRecordings', () => {
  it('unites the calls and counts in how many recordings each was seen', () => {
    const runs = [run('a', ['write', 'read']), run('b', ['read']), run('b', ['read', 'futex'])];
    const result = mergeRecordings(runs, NEED);
    if (result.kind !== 'profile') throw new Error(result.kind);
    expect(allowedNames(result.profile)).toEqual(expect.arrayContaining(['futex', 'read', 'write']));
    expect(result.coverage).toMatchObject({
      madvise: { seenIn: 0, of: 3 },
      futex: { seenIn: 1, of: 3 },
      read: { seenIn: 3, of: 3 },
      write: { seenIn: 1, of: 3 },
    });
    expect(result.merged).toEqual(runs);
  });

  it('gives the same digest whatever the order of the recordings', () => {
    const runs = [run('a', ['write']), run('b', ['read']), run('c', ['openat'])];
    const digests = [runs, [...runs].reverse()].map((order) => {
      const result = mergeRecordings(order, NEED);
      return result.kind === 'profile' && result.digest;
    });
    expect(digests[0]).toMatch(/^sha256:/);
    expect(digests[0]).toBe(digests[1]);
  });

  it('counts equal recordings of different runs', () => {
    const runs = [run('a', ['read']), run('b', ['read']), run('b', ['read'])];
    expect(runs[0]?.digest).toBe(runs[1]?.digest);
    expect(mergeRecordings(runs, NEED).kind).toBe('profile');
  });

  it('never learns from partial recordings or failed runs, and says how many there were', () => {
    const runs = [
      run('a', ['read']),
      run('b', ['read']),
      run('c', ['bpf'], { exitCode: 1 }),
      run('c', ['bpf'], { exitCode: null }),
      run('d', ['bpf'], { recording: recordingOf(['bpf'], ['map-failure']) }),
      run('d', ['bpf'], { exitCode: 1, recording: recordingOf(['bpf'], ['io-uring']) }),
    ];
    expect(mergeRecordings(runs, NEED)).toEqual({
      kind: 'insufficient',
      have: 2,
      need: 3,
      distinctInputs: 2,
      distinctInputsNeeded: 2,
      partial: 2,
      failed: 2,
    });
    const enough = mergeRecordings([...runs, run('a', ['write'])], NEED);
    expect(enough.kind === 'profile' && allowedNames(enough.profile)).not.toContain('bpf');
  });

  it('learns from the exit codes that are expected, and from no other', () => {
    const runs = [run('a', ['kill']), run('b', ['socket'], { exitCode: 3 }), run('b', ['bpf'], { exitCode: 1 })];
    const seen = (expectedExitCodes: readonly number[]) => {
      const result = mergeRecordings(runs, { needed: 1, distinctInputs: 1, expectedExitCodes });
      if (result.kind !== 'profile') return result.kind;
      return Object.keys(result.origins).filter((name) => result.origins[name]?.origin === 'seen');
    };
    expect(seen([0, 3])).toEqual(['kill', 'socket']);
    expect(seen([1])).toEqual(['bpf']);
    expect(seen([2])).toBe('insufficient');
    expect(mergeRecordings([run('a', ['kill'], { exitCode: null })], NEED)).toMatchObject({ have: 0, failed: 1 });
  });

  it('waits for enough different inputs, however many recordings there are', () => {
    const runs = Array.from({ length: 9 }, () => run('a', ['read']));
    expect(mergeRecordings(runs, NEED)).toMatchObject({ kind: 'insufficient', have: 9, distinctInputs: 1 });
  });

  it('proposes nothing from nothing, even if nothing is needed', () => {
    expect(mergeRecordings([], { needed: 0, distinctInputs: 0 }).kind).toBe('insufficient');
  });

  it('only widens the approved version that it is based on', () => {
    const result = mergeRecordings([run('a', ['read', 'write'])], { needed: 1, distinctInputs: 1, basedOn: approved });
    if (result.kind !== 'profile') throw new Error(result.kind);
    expect(allowedNames(result.profile)).toEqual(expect.arrayContaining(['kill', 'mmap', 'read', 'write']));
    expect(result.coverage.kill).toEqual({ seenIn: 0, of: 1 });
  });

  it('refuses to mix architectures', () => {
    const other = run('b', ['read'], { recording: { ...recordingOf(['read']), architecture: 'aarch64' } });
    const options = { needed: 1, distinctInputs: 1 };
    expect(() => mergeRecordings([run('a', ['read']), other], options)).toThrow(RangeError);
    expect(() => mergeRecordings([other], { ...options, basedOn: approved })).toThrow(RangeError);
  });
});

describe('an addition to an approved profile', () => {
  const options = { ...NEED, basedOn: approved };

  it('needs one recording, whatever a first profile needs', () => {
    const result = mergeRecordings([run('a', ['read', 'socketpair'])], options);
    if (result.kind !== 'profile') throw new Error(result.kind);
    expect(allowedNames(result.profile)).toContain('socketpair');
    expect(mergeRecordings([], options).kind).toBe('insufficient');
  });

  it('is what was refused as well, which counts in no coverage', () => {
    const denied = [recordingOf(['socketpair']), recordingOf(['tee'])];
    const result = mergeRecordings([run('a', ['read', 'kill'])], { ...options, denied });
    if (result.kind !== 'profile') throw new Error(result.kind);
    expect(allowedNames(result.profile)).toEqual(expect.arrayContaining(['socketpair', 'tee']));
    expect(result.coverage).toMatchObject({ kill: { seenIn: 1, of: 1 }, socketpair: { seenIn: 0, of: 1 } });
    const alone = mergeRecordings([], { ...options, denied });
    expect(alone).toMatchObject({ kind: 'profile', coverage: { socketpair: { seenIn: 0, of: 0 } }, merged: [] });
  });

  it('restricts nothing for the first time by itself: not arguments, files or processes', () => {
    const recording: Recording = {
      ...recordingOf(['read', 'socket', 'socketpair']),
      arguments: [
        { call: 'read', values: {}, count: 2, failures: {} },
        { call: 'socket', values: { 0: '0x1', 1: '0x1', 2: '0x0' }, count: 2, failures: {} },
        { call: 'socketpair', values: { 0: '0x1', 1: '0x1', 2: '0x0' }, count: 2, failures: {} },
      ],
      peakTasks: 3,
      files: [{ path: '/opt/data', access: 'read', result: 'ok', resolved: true, count: 1 }],
    };
    const wider = { ...approved, rules: [{ names: ['kill', 'read', 'socket'], action: 'SCMP_ACT_ALLOW' as const }] };
    const withRecordings = (inputs: readonly string[]) => {
      const result = mergeRecordings(
        inputs.map((input) => run(input, [], { recording })),
        { ...NEED, basedOn: wider, basedOnTaught: false },
      );
      if (result.kind !== 'profile') throw new Error(result.kind);
      const { rules, files, pids } = result.profile;
      return { isHeld: rules.some(({ names, args }) => names.includes('socket') && args), files, pids };
    };
    expect(withRecordings(['a'])).toEqual({ isHeld: false });
    expect(withRecordings(['a', 'b', 'b'])).toMatchObject({ isHeld: true, files: [{ path: '/opt/data' }], pids: 16 });
  });
});
