import { describe, expect, it } from 'vitest';
import { type PartialReason } from '#lib/profiles';
import { type RecorderDetail } from './recorder-detail.js';
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
  overflows: 0,
  'ring-failures': 0,
  unresolved: 0,
  tasks: 2,
  calls: new Map([
    [110, 1000],
    [0, 4],
    [231, 1],
  ]),
};
const ended = { architecture: 'x86_64', kind: 'syscalls', payloadEndedOnItsOwn: true } as const;
const whole = { ...ended, kind: 'files' } as const;
const run = { runId: 'a' };

describe('recordingOf', () => {
  it('names the calls and certifies a complete recording', () => {
    expect(recordingOf(complete, [], ended)).toEqual({
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
        overflows: 0,
      },
      partialReasons: [],
    });
  });

  it('names the same number by the architecture', () => {
    const calls = new Map([[173, 2]]);
    expect(recordingOf({ ...complete, calls }, [], { ...ended, architecture: 'aarch64' }).calls).toEqual({
      getppid: 2,
    });
    expect(recordingOf({ ...complete, calls }, [], ended).calls).toEqual({ ioperm: 2 });
  });

  it('adds calls without a name to the unknown ones', () => {
    const recording = recordingOf({ ...complete, unknown: 2, calls: new Map([[511, 3]]) }, [], ended);
    expect(recording.calls).toEqual({});
    expect(recording.certificate.unknownCalls).toBe(5);
    expect(recording.partialReasons).toEqual(['unknown-calls']);
  });

  it('keeps io_uring_setup in the calls and in the certificate', () => {
    const recording = recordingOf({ ...complete, calls: new Map([[425, 1]]) }, [], ended);
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
    [{ overflows: 1 }, 'overflow'],
  ];
  it.each(holes)('is partial when the facts hold %j', (fact, reason) => {
    expect(recordingOf({ ...complete, ...fact }, [], ended).partialReasons).toEqual([reason]);
  });

  const deeperHoles: readonly (readonly [Partial<RecorderFacts>, PartialReason])[] = [
    ...holes,
    [{ 'ring-failures': 1 }, 'ring-full'],
    [{ unresolved: 1 }, 'unresolved-paths'],
  ];
  it.each(deeperHoles)('of kind files is partial when the facts hold %j', (fact, reason) => {
    expect(recordingOf({ ...complete, ...fact }, [], whole).partialReasons).toEqual([reason]);
  });

  it('holds refused calls by name and errno, and leaves out numbers without a name', () => {
    const refused = { kind: 'refused', ...run, count: 2 } as const;
    const details: RecorderDetail[] = [
      { ...refused, number: 239, errno: 38 },
      { ...refused, number: 237, errno: 38, count: 5 },
      { ...refused, number: 237, errno: 1 },
      { ...refused, number: 511, errno: 38 },
    ];
    const recording = recordingOf(complete, details, ended);
    expect(JSON.stringify(recording.refused)).toBe('{"get_mempolicy":{"ENOSYS":2},"mbind":{"ENOSYS":5,"EPERM":2}}');
    expect(recording.calls).toEqual({ exit_group: 1, getppid: 1000, read: 4 });
    expect(recording.partialReasons).toEqual([]);
    expect(recordingOf(complete, [], ended)).not.toHaveProperty('refused');
  });

  it('is partial when the payload was stopped', () => {
    expect(recordingOf(complete, [], { ...ended, payloadEndedOnItsOwn: false }).partialReasons).toEqual([
      'payload-stopped',
    ]);
  });
});

describe('a recording of kind arguments', () => {
  const use = { kind: 'use', ...run, errno: 0, values: {} } as const;
  const context = { ...ended, kind: 'arguments' } as const;

  it('holds uses by call and values, with the failures of each and the most tasks at once', () => {
    const details: RecorderDetail[] = [
      { ...use, number: 41, count: 3, values: { '0': '0x2', '1': '0x1' } },
      { ...use, number: 41, count: 2, values: { '0': '0x1', '1': '0x1' } },
      { ...use, number: 41, count: 1, errno: 97, values: { '0': '0x2', '1': '0x1' } },
      { ...use, number: 41, count: 2, errno: 13, values: { '0': '0x2', '1': '0x1' } },
    ];
    expect(recordingOf(complete, details, context)).toMatchObject({
      arguments: [
        { call: 'socket', values: { '0': '0x1', '1': '0x1' }, count: 2, failures: {} },
        { call: 'socket', values: { '0': '0x2', '1': '0x1' }, count: 3, failures: { EAFNOSUPPORT: 1, EACCES: 2 } },
      ],
      peakTasks: 2,
      certificate: { overflows: 0 },
      partialReasons: [],
    });
  });

  it('counts the calls of a name that is told apart by nothing but its failures', () => {
    const details: RecorderDetail[] = [{ ...use, number: 0, errno: 11, count: 1 }];
    expect(recordingOf(complete, details, context).arguments).toEqual([
      { call: 'read', values: {}, count: 4, failures: { EAGAIN: 1 } },
    ]);
  });

  it('shows a call that only seccomp answered as one that never entered the kernel', () => {
    const details: RecorderDetail[] = [{ ...use, number: 101, errno: 1, count: 2, values: { '0': '0x0' } }];
    const recording = recordingOf(complete, details, context);
    expect(recording.arguments).toEqual([{ call: 'ptrace', values: { '0': '0x0' }, count: 0, failures: { EPERM: 2 } }]);
    expect(recording.calls).not.toHaveProperty('ptrace');
  });

  it('holds no files, and nothing of theirs in its certificate', () => {
    const recording = recordingOf(complete, [], context);
    expect(recording).not.toHaveProperty('files');
    expect(recording).not.toHaveProperty('sockets');
    expect(recording.certificate).not.toHaveProperty('ringFailures');
    expect(recording.certificate).not.toHaveProperty('unresolvedPaths');
  });
});

describe('a recording of kind files', () => {
  const file = { kind: 'file', ...run, access: 'read', errno: 0, resolved: true, count: 1 } as const;
  const socket = { kind: 'socket', ...run, operation: 'connect', errno: 0, count: 1 } as const;

  it('holds paths and addresses with their results, sorted', () => {
    const details: RecorderDetail[] = [
      { ...file, path: Buffer.from('/b'), count: 7 },
      { ...file, path: Buffer.from('/a'), errno: 2, resolved: false },
      { ...file, path: Buffer.from('/a'), access: 'write' },
      { ...socket, address: Buffer.from([2, 0, 0, 80, 127, 0, 0, 1]), errno: 111 },
      { ...socket, address: Buffer.from('\x01\0/run/a\0\0', 'latin1') },
      { ...socket, operation: 'bind', address: Buffer.from('\x01\0\0x\0y', 'latin1') },
      { ...socket, operation: 'bind', address: Buffer.from([16, 0, 0, 0, 1, 0]) },
      { ...socket, operation: 'bind', address: Buffer.from([16, 0, 0, 0, 2, 0]) },
    ];
    const recording = recordingOf(complete, details, whole);
    expect(recording.files).toEqual([
      { path: '/a', access: 'read', result: 'ENOENT', resolved: false, count: 1 },
      { path: '/a', access: 'write', result: 'ok', resolved: true, count: 1 },
      { path: '/b', access: 'read', result: 'ok', resolved: true, count: 7 },
    ]);
    expect(recording.sockets).toEqual([
      { operation: 'bind', family: 'AF_16', address: '', result: 'ok', count: 2 },
      { operation: 'bind', family: 'AF_UNIX', address: '@x@y', result: 'ok', count: 1 },
      { operation: 'connect', family: 'AF_INET', address: '127.0.0.1:80', result: 'ECONNREFUSED', count: 1 },
      { operation: 'connect', family: 'AF_UNIX', address: '/run/a', result: 'ok', count: 1 },
    ]);
    expect(recording.certificate).toMatchObject({ overflows: 0, ringFailures: 0, unresolvedPaths: 0 });
    expect(recording.partialReasons).toEqual([]);
  });

  it('is partial where a path is not UTF-8, which no rule can hold', () => {
    const details: RecorderDetail[] = [
      { ...file, path: Buffer.from('/a\xff', 'latin1'), count: 3 },
      { ...file, path: Buffer.from('/\xc3\xa9\\\xe2\x82', 'latin1') },
      { ...file, path: Buffer.from('/a\\b') },
    ];
    const recording = recordingOf(complete, details, whole);
    const read = { access: 'read', result: 'ok' };
    expect(recording.files).toEqual([
      { ...read, path: '/a\\b', resolved: true, count: 1 },
      { ...read, path: '/a\\xff', resolved: false, count: 3 },
      { ...read, path: '/é\\x5c\\xe2\\x82', resolved: false, count: 1 },
    ]);
    expect(recording.certificate.unresolvedPaths).toBe(4);
    expect(recording.partialReasons).toEqual(['unresolved-paths']);
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
