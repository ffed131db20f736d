import { describe, expect, it } from 'vitest';
import { type CaseRun } from '../cases/case-run.js';
import { count, judge, sumOf } from './counts.js';

const GOOD: CaseRun = {
  caseId: 'h06',
  jobId: 'j',
  state: 'COMPLETE',
  held: { enforcement: 'enforce', profileVersionId: 'p', landlockStatus: 'FULLY_ENFORCED' },
  exitCode: 0,
  signal: null,
  error: null,
  digests: { stdout: 's' },
  denials: [],
  partialReasons: null,
  wallUs: 1000,
};
const DENIAL = { call: 'futex', action: 'refused', errno: 'ENOSYS', description: 'futex(FUTEX_WAIT)', count: 1 };
const DENIED: CaseRun = { ...GOOD, denials: [DENIAL] };
const WRONG: CaseRun = { ...GOOD, digests: { stdout: 'other' } };
const FAILED: CaseRun = { ...GOOD, state: 'EXECUTOR_ERROR', exitCode: 1 };
const UNRESTRICTED = new Map([['h06', [GOOD, GOOD]]]);
const countsOf = (level: 'syscalls' | 'files', ...runs: CaseRun[]) =>
  count(runs.map((run) => judge(run, level, UNRESTRICTED)));

describe('counting', () => {
  it('counts nothing where all is as it is unrestricted', () => {
    expect(countsOf('files', GOOD, GOOD)).toEqual({
      runs: 2,
      falseDenials: 0,
      failedJobs: 0,
      differingOutputs: 0,
      silentlyWrong: 0,
    });
  });

  it('counts a run with a refused call as a false denial, though the job took no harm', () => {
    expect(countsOf('syscalls', DENIED, GOOD)).toMatchObject({
      runs: 2,
      falseDenials: 1,
      failedJobs: 0,
      silentlyWrong: 0,
    });
  });

  it('counts a denied run that is COMPLETE with another output as silently wrong', () => {
    const counts = countsOf('syscalls', { ...WRONG, denials: [DENIAL] }, { ...FAILED, denials: [DENIAL] });
    expect(counts).toMatchObject({ falseDenials: 2, failedJobs: 1, differingOutputs: 1, silentlyWrong: 1 });
  });

  it('takes a changed result for a refused file where files are held, because Landlock reports nothing', () => {
    expect(countsOf('files', WRONG, FAILED)).toMatchObject({ falseDenials: 2, silentlyWrong: 1 });
    expect(countsOf('syscalls', WRONG, FAILED)).toMatchObject({ falseDenials: 0, failedJobs: 1, differingOutputs: 1 });
  });

  it('judges no run of a case that was never run unrestricted', () => {
    expect(() => judge({ ...GOOD, caseId: 'h07' }, 'files', UNRESTRICTED)).toThrow('h07');
  });

  it('adds up', () => {
    const counts = countsOf('syscalls', { ...WRONG, denials: [DENIAL] }, FAILED);
    expect(sumOf([counts, counts])).toEqual({
      runs: 4,
      falseDenials: 2,
      failedJobs: 2,
      differingOutputs: 2,
      silentlyWrong: 2,
    });
    expect(sumOf([])).toMatchObject({ runs: 0 });
  });
});
