import { type Profile } from '#lib/profiles';
import { describe, expect, it } from 'vitest';
import { type Check, exitCodeOf } from '../../report/checks.js';
import { type AuditCourse } from '../learn/audit-course.js';
import { type CaseRun, type Denial } from '../cases/case-run.js';
import { readCorpus } from '../cases/corpus.js';
import { PROFILE_LEVELS } from './counts.js';
import { type LearnedProfile } from '../learn/learned-profile.js';
import { type EnforcedProfile, type MeasuredApplication, requireHeld } from '../measure-application.js';
import { planOf } from '../cases/plan.js';
import { profileChecks } from './profiles-bars.js';
import { changedCases, byName, profilesReport, unexpectedEnds } from './profiles-report.js';
import { renderChanges, renderDenials, renderOpen, renderProfiles, renderRepetitions } from './profiles-table.js';

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
const DENIAL: Denial = { call: 'pipe2', action: 'refused', errno: 'EPERM', description: 'pipe2(O_CLOEXEC)', count: 2 };
const DENIED: CaseRun = { ...GOOD, denials: [DENIAL] };
const WRONG: CaseRun = { ...DENIED, digests: { stdout: 'other' }, stderr: 'a\nlost its pipe' };

function learned(origins: LearnedProfile['origins']): LearnedProfile {
  const rules: Profile['rules'] = [{ names: Object.keys(origins).sort(), action: 'SCMP_ACT_ALLOW' }];
  const profile: Profile = { version: 1, architecture: 'x86_64', rules, network: 'none' };
  return { id: 'p', digest: 'sha256:0', profile, recordings: 3, origins };
}

function measured(name: string, ...changes: Partial<EnforcedProfile>[]): MeasuredApplication {
  const application = readCorpus().find((each) => each.name === name);
  if (!application) throw new Error(`there is no ${name}`);
  const usual: EnforcedProfile = {
    level: 'syscalls',
    mode: 'direct',
    learned: learned({ read: 'seen', futex: 'basic', setsockopt: 'seen', unlink: 'implied' }),
    audit: null,
    heldOut: [GOOD, GOOD],
    repetitions: [],
    growth: [['read'], ['read', 'write'], ['read', 'write']],
  };
  return {
    name,
    plan: planOf(application, { learnFrom: 'spread', levels: PROFILE_LEVELS, cases: undefined, mode: 'direct' }),
    unrestricted: new Map([['h06', [GOOD, GOOD]]]),
    profiles: changes.map((change) => ({ ...usual, ...change })),
  };
}
const verdictOf = (checks: readonly Check[], what: string) => checks.find((check) => check.what.startsWith(what));
const checksOf = (...all: MeasuredApplication[]) =>
  profileChecks(profilesReport(all), { levels: ['syscalls'], mode: 'direct' });
const stagedChecksOf = (...all: MeasuredApplication[]) =>
  profileChecks(profilesReport(all), { levels: ['syscalls'], mode: 'stages' });
const AUDIT: AuditCourse = { runs: 9, approved: 1, isPromoted: true };

describe('the report', () => {
  it('has a profile’s figures under application, level and mode, and nothing else', () => {
    const report = profilesReport([measured('samtools', {}, { level: 'files', heldOut: [GOOD, DENIED] })]);
    const figures = byName(report, (row) => row.figures);
    expect(figures.samtools?.syscalls?.direct).toEqual({
      allowed: 4,
      seen: 2,
      basic: 1,
      implied: 1,
      closedCves: 24,
      closedCvesWithConditions: 24,
      heldOutRuns: 2,
      falseDenials: 0,
      failedJobs: 0,
      differingOutputs: 0,
      runsToStable: 2,
      audit: null,
    });
    expect(figures.samtools?.files?.direct).toMatchObject({ falseDenials: 1, failedJobs: 0 });
    expect(Object.keys(figures)).toEqual(['samtools']);
  });

  it('adds up the held out runs by level, and the repetitions apart', () => {
    const report = profilesReport([
      measured('samtools', { heldOut: [GOOD, DENIED], repetitions: [DENIED] }),
      measured('seqtk', { heldOut: [GOOD] }),
    ]);
    expect(report.levels.syscalls).toMatchObject({ applications: 2, counts: { runs: 3, falseDenials: 1 } });
    expect(report.repetitions).toMatchObject({ runs: 1, falseDenials: 1 });
    expect(byName(report, (row) => row.repetitions)).toEqual({
      samtools: { syscalls: { direct: report.repetitions } },
    });
    expect(report.heldOut.runs).toBe(3);
  });

  it('names cases that end unrestricted as the corpus does not say', () => {
    const failed: CaseRun = { ...GOOD, state: 'EXECUTOR_ERROR', exitCode: 1 };
    const one = measured('samtools', {});
    expect(unexpectedEnds([one])).toEqual([]);
    const odd = {
      ...one,
      unrestricted: new Map([
        ['h06', [GOOD, failed]],
        ['h15', [failed, failed]],
      ]),
    };
    expect(unexpectedEnds([odd])).toEqual([
      'samtools: h06 ended EXECUTOR_ERROR, exit code 1 unrestricted, and the corpus says exit code 0',
    ]);
  });

  it('names the cases of which a result changed, once each', () => {
    expect(changedCases(measured('samtools', { heldOut: [GOOD, WRONG], repetitions: [WRONG] }))).toEqual(['h06']);
  });
});

describe('the bars', () => {
  it('are reached by profiles that refuse nothing and close enough', () => {
    const narrow = learned({ read: 'seen' });
    const checks = checksOf(
      measured('samtools', { learned: narrow, repetitions: [GOOD] }),
      measured('edf-normalize', { learned: narrow }),
    );
    expect(checks.filter(({ verdict }) => verdict === 'over-bar')).toEqual([]);
    expect(verdictOf(checks, 'false denials, syscalls')?.verdict).toBe('within-bar');
    expect(verdictOf(checks, 'vulnerabilities closed by names, edf-normalize')?.verdict).toBe('within-bar');
  });

  it('bear two false denials in a hundred runs and not three', () => {
    const runs = (denied: number) => [
      ...Array<CaseRun>(100 - denied).fill(GOOD),
      ...Array<CaseRun>(denied).fill(DENIED),
    ];
    const verdict = (denied: number) =>
      verdictOf(checksOf(measured('samtools', { heldOut: runs(denied) })), 'false denials, syscalls')?.verdict;
    expect([verdict(2), verdict(3)]).toEqual(['within-bar', 'over-bar']);
  });

  it('bear no false denial, no failed job and no other output after an audit', () => {
    const verdicts = (...heldOut: CaseRun[]) =>
      stagedChecksOf(measured('samtools', { mode: 'stages', audit: AUDIT, heldOut })).filter(
        ({ what, verdict }) => /^(false denials|failed jobs).*, syscalls/.test(what) && verdict === 'over-bar',
      ).length;
    expect(verdicts(GOOD)).toBe(0);
    expect(verdicts(...Array<CaseRun>(200).fill(GOOD), DENIED)).toBe(1);
    expect(verdicts({ ...GOOD, digests: { stdout: 'other' } })).toBe(1);
    expect(verdicts({ ...DENIED, state: 'HELD' })).toBe(2);
  });

  it('bear no false denial that leaves a job COMPLETE with another output', () => {
    const heldOut = [...Array<CaseRun>(99).fill(GOOD), WRONG];
    const check = verdictOf(checksOf(measured('samtools', { heldOut })), 'runs with a false denial');
    expect(check).toMatchObject({ verdict: 'over-bar' });
  });

  it('are not reached by a median of 23, nor by 24 for the example', () => {
    const wide = learned({ setsockopt: 'seen' });
    const wider = learned({ setsockopt: 'seen', waitid: 'seen' });
    const checks = checksOf(measured('edf-normalize', { learned: wide }), measured('samtools', { learned: wider }));
    expect(verdictOf(checks, 'vulnerabilities closed by names, edf-normalize')?.verdict).toBe('over-bar');
    expect(verdictOf(checks, 'vulnerabilities closed by names, median')?.verdict).toBe('over-bar');
  });

  it('bear no dangerous call that no recording had', () => {
    const what = 'dangerous calls allowed';
    const seen = measured('samtools', { learned: learned({ ptrace: 'seen' }) });
    expect(verdictOf(checksOf(seen), what)?.verdict).toBe('within-bar');
    const brought = measured('samtools', { learned: learned({ ptrace: 'implied' }) });
    expect(verdictOf(checksOf(brought), what)).toMatchObject({
      verdict: 'over-bar',
      what: expect.stringContaining('ptrace'),
    });
  });

  it('that nothing was measured for are not reached', () => {
    const checks = checksOf();
    expect(new Set(checks.map(({ verdict }) => verdict))).toEqual(new Set(['not-measured']));
    expect(exitCodeOf(checks)).toBe(3);
  });
});

describe('the table', () => {
  const report = profilesReport([measured('samtools', { heldOut: [GOOD, WRONG], repetitions: [DENIED] })]);

  it('has a row for every profile and one for every level', () => {
    const [, row, total] = renderProfiles(report).split('\n');
    expect(row?.split(/  +/)).toEqual([
      ...['samtools, syscalls, direct', '4', '2', '1', '1', '24', '24', '2', '1', '0', '1', '2 runs', '-', '-', '-'],
    ]);
    expect(total).toMatch(/^all 1, syscalls .* median 24 .* 2 +1 +0 +1 +- +- +-$/);
  });

  it('says how a profile came through its audit', () => {
    const stuck = { runs: 30, approved: 2, isPromoted: false };
    const staged = profilesReport([
      measured('samtools', { mode: 'stages', audit: AUDIT }),
      measured('seqtk', { mode: 'stages', audit: stuck }),
    ]);
    const [, first, second, total] = renderProfiles(staged).split('\n');
    expect(first).toMatch(/ 9 +1 +by itself$/);
    expect(second).toMatch(/ 30 +2 +by a person$/);
    expect(total).toMatch(/ 39 +3 +1 of 2 by itself$/);
  });

  it('lists refused calls with their cases and how often, and how many runs a call was refused in', () => {
    const other: Denial = { ...DENIAL, description: 'pipe2(0)' };
    const heldOut = [GOOD, { ...DENIED, denials: [DENIAL, other] }, DENIED];
    expect(renderDenials(profilesReport([measured('samtools', { heldOut })])).split('\n')).toEqual([
      'False denials:',
      '  samtools, syscalls, direct: pipe2(O_CLOEXEC) and 1 more kinds, EPERM: h06 data x6',
      '',
      'Runs in which a call was refused:',
      '  pipe2 2: samtools',
    ]);
    expect(renderDenials(profilesReport([measured('samtools', {})]))).toBe('False denials: none.');
  });

  it('says what changed, and what the program said of it', () => {
    expect(renderChanges(report)).toContain('h06 COMPLETE with another stdout: lost its pipe');
    expect(renderOpen(report)).toContain('  setsockopt 5 (seen): samtools, syscalls, direct');
    expect(renderRepetitions(report)).toContain('1 runs, 1 with a false denial');
  });
});

describe('a run under a profile', () => {
  it('is held by the version that was approved, and its files by the kernel', () => {
    expect(() => requireHeld(GOOD, 'p', 'files')).not.toThrow();
    expect(() => requireHeld(GOOD, 'another', 'syscalls')).toThrow('approved version');
    const held = { enforcement: 'enforce', profileVersionId: 'p', landlockStatus: 'NOT_ENFORCED' };
    expect(() => requireHeld({ ...GOOD, held }, 'p', 'files')).toThrow('Landlock');
    expect(() => requireHeld({ ...GOOD, held }, 'p', 'arguments')).not.toThrow();
  });
});
