import { describe, expect, it } from 'vitest';
import { withForeignCalls } from './foreign-calls.js';
import { lostRecording } from './recording.js';

const COMPLETE = { ...lostRecording({ architecture: 'x86_64', payloadEndedOnItsOwn: true }), partialReasons: [] };

describe('withForeignCalls', () => {
  it.each([
    [{ compat: 0, x32: 0 }, []],
    [{ compat: 3, x32: 0 }, ['compat-calls']],
    [{ compat: 0, x32: 1 }, ['x32-calls']],
    [{ compat: 1, x32: 1 }, ['compat-calls', 'x32-calls']],
  ])('makes a recording partial by what was refused: %j', (calls, reasons) => {
    const { partialReasons, certificate } = withForeignCalls(COMPLETE, calls);
    expect(partialReasons).toEqual(reasons);
    expect(certificate).toMatchObject({ compatCalls: calls.compat, x32Calls: calls.x32 });
  });

  it('takes the larger count of both, and keeps the order of the reasons', () => {
    const seen = {
      ...COMPLETE,
      certificate: { ...COMPLETE.certificate, compatCalls: 2, x32Calls: 4 },
      partialReasons: ['map-failure', 'compat-calls', 'recorder-lost'] as const,
    };
    const { partialReasons, certificate } = withForeignCalls(seen, { compat: 5, x32: 1 });
    expect(certificate).toMatchObject({ compatCalls: 5, x32Calls: 4 });
    expect(partialReasons).toEqual(['map-failure', 'compat-calls', 'x32-calls', 'recorder-lost']);
  });
});
