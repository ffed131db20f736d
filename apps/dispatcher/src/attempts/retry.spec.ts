import { describe, expect, it } from 'vitest';
import { type EndedAttempt, pauseMs, verdictOn } from './retry.js';

const NONE = { publicationFailures: null, freeFailures: 0, failedOnWellNodes: 0, untriedNodes: 0 };
const ended = (attempt: Partial<EndedAttempt>): EndedAttempt => ({
  ...{ state: 'FAILED', errorCode: null, failures: 0 },
  ...NONE,
  ...attempt,
});

describe('the verdict on an attempt that ended without ending its job', () => {
  it.each<[string, Partial<EndedAttempt>, object]>([
    [
      'a released attempt is tried again, whatever failed before it',
      { state: 'RELEASED', errorCode: 'node-draining', failures: 2 },
      { kind: 'again', failures: 2, waitingReason: 'retry-after-drain' },
    ],
    [
      'what may be the fault of the node is free: a lost worker',
      { state: 'LOST', errorCode: 'lease-lost' },
      { kind: 'again', failures: 0, isFree: true, waitingReason: 'retry-after-lost-worker' },
    ],
    [
      'a broken engine',
      { errorCode: 'engine-error', failures: 2 },
      { kind: 'again', failures: 2, isFree: true, waitingReason: 'retry-after-system-error' },
    ],
    [
      'a full database is nobody’s',
      { errorCode: 'database-away', failures: 2, failedOnWellNodes: 2 },
      { kind: 'again', failures: 2, isFree: true },
    ],
    [
      'and yet not for ever',
      { errorCode: 'database-away', freeFailures: 5 },
      { kind: 'again', failures: 1, isFree: false },
    ],
    [
      'an error that this version does not know',
      { errorCode: 'from-the-future', failures: 2 },
      { kind: 'again', failures: 2, isFree: true },
    ],
    [
      'after one node that is well it is free still',
      { errorCode: 'engine-error', freeFailures: 1, failedOnWellNodes: 1 },
      { kind: 'again', failures: 0, isFree: true },
    ],
    [
      'after two nodes that are well the job is charged',
      { errorCode: 'engine-error', freeFailures: 2, failedOnWellNodes: 2 },
      { kind: 'again', failures: 1, isFree: false, waitingReason: 'retry-after-system-error' },
    ],
    [
      'five tries are free at most, however its nodes are',
      { errorCode: 'engine-error', freeFailures: 5 },
      { kind: 'again', failures: 1, isFree: false },
    ],
    [
      'the third failure that is charged ends the job with its own error',
      { errorCode: 'image-pull-failed', failures: 2, freeFailures: 2, failedOnWellNodes: 2 },
      { kind: 'end', failures: 3, state: 'SYSTEM_ERROR', errorCode: 'image-pull-failed' },
    ],
    [
      'what no node is the cause of is charged at once',
      { errorCode: 'profile-revoked', untriedNodes: 4 },
      { kind: 'again', failures: 1, isFree: false },
    ],
    [
      'what would fail again in the same way ends the job at once',
      { errorCode: 'exit-code', untriedNodes: 4 },
      { kind: 'end', failures: 1, state: 'EXECUTOR_ERROR', errorCode: 'exit-code' },
    ],
    [
      'an image that the node does not have is looked for on those that have not tried the job',
      { errorCode: 'image-not-on-node', untriedNodes: 1 },
      { kind: 'again', failures: 0, isFree: true },
    ],
    [
      'and is the fault of its submitter where none has it',
      { errorCode: 'image-not-on-node', freeFailures: 1 },
      { kind: 'end', failures: 1, state: 'EXECUTOR_ERROR', errorCode: 'image-not-on-node' },
    ],
    [
      'an approval that one node does not believe is shown to the others',
      { errorCode: 'profile-signature', untriedNodes: 1 },
      { kind: 'again', failures: 0, isFree: true },
    ],
    [
      'a publication is tried again however often the job failed before',
      { state: 'LOST', errorCode: 'lease-lost', failures: 2, publicationFailures: 1 },
      { kind: 'again', failures: 3, isFree: false, waitingReason: 'retry-after-lost-worker' },
    ],
    [
      'a publication that failed three times leaves its job incomplete',
      { errorCode: 'output-upload-failed', failures: 2, publicationFailures: 3 },
      { kind: 'end', failures: 3, state: 'SYSTEM_ERROR', errorCode: 'publication-incomplete' },
    ],
    [
      'a publication that is given back is no failure',
      { state: 'RELEASED', errorCode: null, failures: 0, publicationFailures: 0 },
      { kind: 'again', failures: 0, waitingReason: 'retry-after-drain' },
    ],
  ])('%s', (_name, attempt, verdict) => {
    expect(verdictOn(ended(attempt))).toMatchObject(verdict);
  });

  it('a job that fails everywhere ends after five attempts on two nodes that are well', () => {
    let job = ended({ errorCode: 'engine-error' });
    for (let attempts = 1; ; attempts++) {
      const verdict = verdictOn(job);
      if (verdict.kind === 'end') {
        expect([attempts, verdict.failures]).toEqual([5, 3]);
        return;
      }
      const { failures, isFree } = verdict;
      const freeFailures = job.freeFailures + Number(isFree);
      job = { ...job, failures, freeFailures, failedOnWellNodes: job.failedOnWellNodes + 1 };
    }
  });
});

describe('the pause before another attempt', () => {
  it.each<[string, Partial<EndedAttempt>, number]>([
    ['none after the first that is free', { errorCode: 'engine-error' }, 0],
    ['after the second', { errorCode: 'engine-error', freeFailures: 1 }, 10],
    ['after the first that is charged', { errorCode: 'profile-revoked' }, 10],
    ['after the second that is charged', { errorCode: 'profile-revoked', failures: 1 }, 60],
    ['none after a lost worker', { state: 'LOST', errorCode: 'lease-lost', freeFailures: 1 }, 0],
    ['none after a release', { state: 'RELEASED', failures: 1 }, 0],
  ])('%s', (_name, attempt, pause) => {
    const verdict = verdictOn(ended(attempt));
    expect(verdict.kind === 'again' && pauseMs(ended(attempt), verdict, 10)).toBe(pause);
  });
});
