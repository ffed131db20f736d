import { describe, expect, it } from 'vitest';
import { type EndedAttempt, pauseMs, verdictOn } from './retry.js';

describe('the verdict on an attempt that ended without ending its job', () => {
  it.each<[string, EndedAttempt, object]>([
    [
      'a released attempt is tried again, whatever failed before it',
      { state: 'RELEASED', errorCode: 'node-draining', failures: 2, publicationFailures: null },
      { kind: 'again', failures: 2, waitingReason: 'retry-after-drain' },
    ],
    [
      'a lost worker counts as a failure',
      { state: 'LOST', errorCode: 'lease-lost', failures: 0, publicationFailures: null },
      { kind: 'again', failures: 1, waitingReason: 'retry-after-lost-worker' },
    ],
    [
      'an error of ours is tried again',
      { state: 'FAILED', errorCode: 'engine-error', failures: 1, publicationFailures: null },
      { kind: 'again', failures: 2, waitingReason: 'retry-after-system-error' },
    ],
    [
      'the third failure ends the job with its own error',
      { state: 'FAILED', errorCode: 'image-pull-failed', failures: 2, publicationFailures: null },
      { kind: 'end', failures: 3, state: 'SYSTEM_ERROR', errorCode: 'image-pull-failed' },
    ],
    [
      'what would fail again in the same way ends the job at once',
      { state: 'FAILED', errorCode: 'exit-code', failures: 0, publicationFailures: null },
      { kind: 'end', failures: 1, state: 'EXECUTOR_ERROR', errorCode: 'exit-code' },
    ],
    [
      'an unknown error is ours',
      { state: 'FAILED', errorCode: 'from-the-future', failures: 2, publicationFailures: null },
      { kind: 'end', failures: 3, state: 'SYSTEM_ERROR', errorCode: 'internal-error' },
    ],
    [
      'a publication is tried again however often the job failed before',
      { state: 'LOST', errorCode: 'lease-lost', failures: 2, publicationFailures: 1 },
      { kind: 'again', failures: 3, waitingReason: 'retry-after-lost-worker' },
    ],
    [
      'a publication that failed three times leaves its job incomplete',
      { state: 'FAILED', errorCode: 'output-upload-failed', failures: 2, publicationFailures: 3 },
      { kind: 'end', failures: 3, state: 'SYSTEM_ERROR', errorCode: 'publication-incomplete' },
    ],
    [
      'a publication that is given back is no failure',
      { state: 'RELEASED', errorCode: null, failures: 0, publicationFailures: 0 },
      { kind: 'again', failures: 0, waitingReason: 'retry-after-drain' },
    ],
  ])('%s', (_name, attempt, verdict) => {
    expect(verdictOn(attempt)).toEqual(verdict);
  });
});

describe('the pause before another attempt', () => {
  it.each<[EndedAttempt['state'], number, number]>([
    ['FAILED', 0, 10],
    ['FAILED', 1, 60],
    ['LOST', 1, 0],
    ['RELEASED', 1, 0],
  ])('after %s and %d failures before', (state, failures, pause) => {
    expect(pauseMs({ state, errorCode: null, failures, publicationFailures: null }, 10)).toBe(pause);
  });
});
