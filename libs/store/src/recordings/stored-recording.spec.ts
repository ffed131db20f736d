import { type Recording, recordingDigest } from '#lib/profiles';
import { describe, expect, it } from 'vitest';
import { readStoredRecording } from './stored-recording.js';

const RECORDING: Recording = {
  version: 1,
  architecture: 'x86_64',
  calls: { openat: 3, socket: 1 },
  certificate: {
    ...{ armedBeforeStart: true, started: true, cleanDrain: true, payloadEndedOnItsOwn: true },
    ...{ compatCalls: 0, x32Calls: 0, unknownCalls: 0, ioUringSetups: 0, recursionMisses: 0, mapFailures: 0 },
    ...{ foreignProcesses: 0, supervisorCalls: 4, execs: 1, overflows: 0, ringFailures: 0, unresolvedPaths: 0 },
  },
  partialReasons: [],
  arguments: [{ call: 'socket', values: { '0': '0x1', '1': '0x80001' }, count: 1, failures: { EACCES: 1 } }],
  peakTasks: 3,
  files: [{ path: '{inputs}/a', access: 'read', result: 'ok', resolved: true, count: 2 }],
  sockets: [{ operation: 'connect', family: 'AF_UNIX', address: '/run/socket', result: 'ENOENT', count: 1 }],
};

const read = (content: Recording) => readStoredRecording({ digest: recordingDigest(content), content }, 'x86_64');

describe('a stored recording', () => {
  it('is believed with all that the deepest kind records', () => {
    expect(read(RECORDING)).toEqual(RECORDING);
  });

  it('is believed with the names alone', () => {
    const { arguments: _arguments, peakTasks: _tasks, files: _files, sockets: _sockets, ...names } = RECORDING;
    expect(read(names)).toEqual(names);
  });

  it.each([
    ['arguments.0.values', { arguments: [{ ...RECORDING.arguments?.[0], values: { '6': '0x1' } }] }],
    ['arguments.0.values.0', { arguments: [{ ...RECORDING.arguments?.[0], values: { '0': '0X1' } }] }],
    ['arguments.0.values.0', { arguments: [{ ...RECORDING.arguments?.[0], values: { '0': '0x01' } }] }],
    ['arguments.0.values.0', { arguments: [{ ...RECORDING.arguments?.[0], values: { '0': 1 } }] }],
    ['arguments.0.failures', { arguments: [{ ...RECORDING.arguments?.[0], failures: { lower: 1 } }] }],
    ['arguments.0', { arguments: [{ ...RECORDING.arguments?.[0], more: 1 }] }],
    ['peakTasks', { peakTasks: -1 }],
    ['files.0.access', { files: [{ ...RECORDING.files?.[0], access: 'chmod' }] }],
    ['files.0.path', { files: [{ ...RECORDING.files?.[0], path: `/${'a'.repeat(5000)}` }] }],
    ['files.0.result', { files: [{ ...RECORDING.files?.[0], result: 'fine' }] }],
    ['files', { files: Array.from({ length: 100_001 }, () => RECORDING.files?.[0]) }],
    ['sockets.0.family', { sockets: [{ ...RECORDING.sockets?.[0], family: 'INET' }] }],
    ['certificate.overflows', { certificate: { ...RECORDING.certificate, overflows: 0.5 } }],
  ])('is not believed with something else in %s', (at, change) => {
    const content = { ...RECORDING, ...change };
    expect(readStoredRecording({ digest: 'sha256:', content }, 'x86_64')).toContain(`it is malformed: ${at}`);
  });

  it('is not believed with uses of calls that its architecture does not have', () => {
    const uses = [{ call: 'sockets', values: {}, count: 1, failures: {} }];
    expect(read({ ...RECORDING, arguments: uses })).toMatch(/^it names calls that x86_64 does not have: sockets$/);
  });

  it.each(['arguments', 'peakTasks', 'files', 'sockets'] as const)(
    'is not believed when its %s are not those that its digest is of',
    (member) => {
      const { [member]: _removed, ...content } = RECORDING;
      expect(readStoredRecording({ digest: recordingDigest(RECORDING), content }, 'x86_64')).toBe(
        'its digest is not that of its content',
      );
    },
  );
});
