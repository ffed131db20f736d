import { describe, expect, it } from 'vitest';
import { type PartialReason } from '#lib/profiles';
import { type RecorderFacts } from './recorder-line.js';
import { lostRecording, recordingOf } from './recording.js';

const complete: RecorderFacts = {
  others: 0,
  started: 1,
  empty: 1,
  execs: 1,
  foreign: 0,
  'map-failures': 0,
  misses: 0,
  supervisor: 20,
  'before-start': 3,
  compat: 0,
  x32: 0,
  unknown: 0,
  calls: new Map([
    [110, 1000],
    [0, 4],
    [231, 1],
  ]),
};
const ended = { architecture: 'x86_64', payloadEndedOnItsOwn: true } as const;

describe('recordingOf', () => {
  it('names the calls and certifies a complete recording', () => {
    expect(recordingOf(complete, ended)).toEqual({
      version: 1,
      architecture: 'x86_64',
      calls: { exit_group: 1, getppid: 1000, read: 4 },
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
        supervisorCalls: 23,
        execs: 1,
      },
      partialReasons: [],
    });
  });

  it('names the same number by the architecture', () => {
    const calls = new Map([[173, 2]]);
    expect(recordingOf({ ...complete, calls }, { ...ended, architecture: 'aarch64' }).calls).toEqual({ getppid: 2 });
    expect(recordingOf({ ...complete, calls }, ended).calls).toEqual({ ioperm: 2 });
  });

  it('adds calls without a name to the unknown ones', () => {
    const recording = recordingOf({ ...complete, unknown: 2, calls: new Map([[511, 3]]) }, ended);
    expect(recording.calls).toEqual({});
    expect(recording.certificate.unknownCalls).toBe(5);
    expect(recording.partialReasons).toEqual(['unknown-calls']);
  });

  it('keeps io_uring_setup in the calls and in the certificate', () => {
    const recording = recordingOf({ ...complete, calls: new Map([[425, 1]]) }, ended);
    expect(recording.calls).toEqual({ io_uring_setup: 1 });
    expect(recording.certificate.ioUringSetups).toBe(1);
    expect(recording.partialReasons).toEqual(['io-uring']);
  });

  const holes: readonly (readonly [Partial<RecorderFacts>, PartialReason])[] = [
    [{ others: 1 }, 'not-armed-before-start'],
    [{ started: 0 }, 'never-started'],
    [{ empty: 0 }, 'drain-failed'],
    [{ 'map-failures': 1 }, 'map-failure'],
    [{ misses: 1 }, 'recursion-misses'],
    [{ foreign: 1 }, 'foreign-processes'],
    [{ compat: 1 }, 'compat-calls'],
    [{ x32: 1 }, 'x32-calls'],
    [{ unknown: 1 }, 'unknown-calls'],
  ];
  it.each(holes)('is partial when the facts hold %j', (fact, reason) => {
    expect(recordingOf({ ...complete, ...fact }, ended).partialReasons).toEqual([reason]);
  });

  it('is partial when the payload was stopped', () => {
    expect(recordingOf(complete, { ...ended, payloadEndedOnItsOwn: false }).partialReasons).toEqual([
      'payload-stopped',
    ]);
  });
});

describe('lostRecording', () => {
  it('certifies nothing', () => {
    const recording = lostRecording(ended);
    expect(recording.calls).toEqual({});
    expect(recording.certificate).toMatchObject({ armedBeforeStart: false, started: false, cleanDrain: false });
    expect(recording.partialReasons).toEqual(['recorder-lost']);
  });
});
