import { describe, expect, it } from 'vitest';
import { type CaseRun, caseRunOf, differenceOf, outcomeOf } from './case-run.js';

const RUN: CaseRun = {
  caseId: 'h06',
  jobId: 'j',
  state: 'COMPLETE',
  held: { enforcement: 'enforce', profileVersionId: 'p', landlockStatus: 'FULLY_ENFORCED' },
  exitCode: 0,
  signal: null,
  error: null,
  digests: { '/out/o.bam': 'a', stdout: 's' },
  denials: [],
  partialReasons: null,
  wallUs: 1000,
};

describe('the end of a case', () => {
  it('is read from the last run of the job, with the denials of all', () => {
    const denial = { call: 'pipe2', action: 'refused', errno: 'EPERM', description: 'pipe2(O_CLOEXEC)', count: 2 };
    const held = { enforcement: 'enforce', profileVersionId: 'p', landlockStatus: 'FULLY_ENFORCED' };
    const run = { ...held, exitCode: 1, signal: null, wallUs: 5, denials: [denial], artifacts: [], recording: null };
    const artifacts = [
      { kind: 'stderr', sha256: 'e' },
      { kind: 'stdout', sha256: 's' },
    ];
    const read = caseRunOf('h06', {
      id: 'j',
      state: 'COMPLETE',
      waitingReason: null,
      waitingReasonText: null,
      errorCode: null,
      errorMessage: null,
      outputs: [
        { path: '/out/o.bam', sha256: 'a' },
        { path: '/out/absent', sha256: null },
      ],
      runs: [run, { ...run, exitCode: 0, artifacts, recording: { partialReasons: [] } }],
    });
    expect(read).toMatchObject({ held, exitCode: 0, digests: RUN.digests, partialReasons: [] });
    expect(read.denials).toEqual([denial, denial]);
  });

  it('is that it was held, where it would have waited for a person', () => {
    const waiting = {
      waitingReason: 'waiting-for-profile-decision',
      waitingReasonText: 'waiting for an administrator',
    };
    const job = { id: 'j', ...waiting, errorCode: null, errorMessage: null, outputs: [], runs: [] };
    expect(caseRunOf('h06', { ...job, state: 'QUEUED' })).toMatchObject({
      state: 'HELD',
      error: 'waiting-for-profile-decision: waiting for an administrator',
    });
  });

  it('is told by state and exit code, or by the signal', () => {
    expect(outcomeOf(RUN)).toBe('COMPLETE, exit code 0');
    expect(outcomeOf({ ...RUN, state: 'EXECUTOR_ERROR', exitCode: null, signal: 11 })).toBe(
      'EXECUTOR_ERROR, signal 11',
    );
  });
});

describe('a restricted run beside unrestricted ones', () => {
  it('does not differ when it ended and wrote as they did', () => {
    expect(differenceOf(RUN, [RUN, RUN])).toEqual({ failed: false, differing: [] });
  });

  it('has failed when none of them ended so', () => {
    const failed: CaseRun = { ...RUN, state: 'EXECUTOR_ERROR', exitCode: 1, digests: { stdout: 'nothing' } };
    expect(differenceOf(failed, [RUN, RUN])).toEqual({ failed: true, differing: [] });
    expect(differenceOf(RUN, [failed, failed])).toEqual({ failed: true, differing: [] });
    expect(differenceOf(failed, [failed, RUN])).toEqual({ failed: false, differing: [] });
  });

  it('differs in what they agree on, and in nothing else', () => {
    const other: CaseRun = { ...RUN, digests: { '/out/o.bam': 'b', stdout: 's' } };
    expect(differenceOf(other, [RUN, RUN])).toEqual({ failed: false, differing: ['/out/o.bam'] });
    const third: CaseRun = { ...RUN, digests: { '/out/o.bam': 'c', stdout: 's' } };
    expect(differenceOf(other, [RUN, third])).toEqual({ failed: false, differing: [] });
  });

  it('differs when it did not write what they wrote', () => {
    expect(differenceOf({ ...RUN, digests: { stdout: 's' } }, [RUN])).toEqual({
      failed: false,
      differing: ['/out/o.bam'],
    });
  });
});
