import { type FileUse, type Recording } from '#lib/profiles';
import { describe, expect, it } from 'vitest';
import { boundedRecording } from './bounded-recording.js';

const file = (path: string): FileUse => ({ path, access: 'read', result: 'ENOENT', resolved: false, count: 1 });
const RECORDING: Recording = {
  version: 1,
  architecture: 'x86_64',
  calls: { openat: 2 },
  certificate: {
    ...{ armedBeforeStart: true, started: true, cleanDrain: false, payloadEndedOnItsOwn: true },
    ...{ compatCalls: 0, x32Calls: 0, unknownCalls: 0, ioUringSetups: 0, recursionMisses: 0, mapFailures: 0 },
    ...{ foreignProcesses: 0, supervisorCalls: 4, execs: 1, overflows: 1, ringFailures: 0, unresolvedPaths: 0 },
  },
  partialReasons: ['drain-failed'],
  arguments: [],
  peakTasks: 1,
  files: [file('/a'), file(`/${'b'.repeat(4000)}`)],
  sockets: [],
};

describe('the bound of a recording', () => {
  it('leaves as it is what is small enough', () => {
    expect(boundedRecording(RECORDING)).toBe(RECORDING);
  });

  it('takes the lists out of what is too large, and says so', () => {
    const bounded = boundedRecording(RECORDING, 4000);
    const { arguments: _arguments, files: _files, sockets: _sockets, ...names } = RECORDING;
    expect(bounded).toEqual({
      ...names,
      certificate: { ...RECORDING.certificate, overflows: 3 },
      partialReasons: ['overflow', 'drain-failed'],
    });
  });
});
