/** From the runs of the profiles bench to the figures of every application, level and mode, and their totals. */
import { median } from '#lib/overhead';
import { callClass, closedVulnerabilities, closedWithConditions, VULNERABILITIES } from '#lib/profiles';
import { type AuditCourse } from '../learn/audit-course.js';
import { endsAsExpected, outcomeOf } from '../cases/case-run.js';
import { type CorpusCase } from '../cases/corpus.js';
import { count, type Counts, judge, type JudgedRun, type ProfileLevel, sumOf } from './counts.js';
import {
  allowedBy,
  allowedFrom,
  RECORDED_ORIGINS,
  type LearnedProfile,
  runsToStable,
} from '../learn/learned-profile.js';
import { type EnforcedProfile, type MeasuredApplication } from '../measure-application.js';
import { type ModeName } from '../learn/modes.js';

export interface ProfileFigures {
  readonly allowed: number;
  readonly seen: number;
  readonly basic: number;
  readonly implied: number;
  /** Vulnerabilities of the product's table of which the profile allows no call. */
  readonly closedCves: number;
  /** And those that its conditions on arguments close. */
  readonly closedCvesWithConditions: number;
  readonly heldOutRuns: number;
  readonly falseDenials: number;
  readonly failedJobs: number;
  readonly differingOutputs: number;
  readonly runsToStable: number | null;
  /** Null where it was enforced at once. */
  readonly audit: AuditCourse | null;
}

export interface ReportRow {
  readonly application: string;
  readonly level: ProfileLevel;
  readonly mode: ModeName;
  /** All of the application's. */
  readonly cases: readonly CorpusCase[];
  readonly figures: ProfileFigures;
  /** Call -> where it comes from, of every call that is allowed. */
  readonly origins: LearnedProfile['origins'];
  readonly counts: Counts;
  readonly heldOut: readonly JudgedRun[];
  /** Null where the application is not repeated at this level. */
  readonly repetitions: Counts | null;
  readonly repeated: readonly JudgedRun[];
  /** Call -> vulnerabilities of the product's table to which it leads and which the profile does not close by names. */
  readonly open: Readonly<Record<string, number>>;
  /** Calls of class `dangerous` that are allowed and that no recording had. */
  readonly dangerous: readonly string[];
}

export interface LevelTotals {
  readonly applications: number;
  readonly counts: Counts;
  readonly medianClosedCves: number;
}

export interface ProfilesReport {
  readonly rows: readonly ReportRow[];
  /** Of the levels that were measured. */
  readonly levels: Readonly<Partial<Record<ProfileLevel, LevelTotals>>>;
  readonly heldOut: Counts;
  readonly repetitions: Counts;
}

export function profilesReport(measured: readonly MeasuredApplication[]): ProfilesReport {
  const rows = measured.flatMap((application) => application.profiles.map((profile) => rowOf(application, profile)));
  const levels = [...new Set(rows.map(({ level }) => level))];
  const totals = levels.map((level) => [level, totalsOf(rows.filter((row) => row.level === level))] as const);
  return {
    rows,
    levels: Object.fromEntries(totals),
    heldOut: sumOf(rows.map(({ counts }) => counts)),
    repetitions: sumOf(rows.flatMap(({ repetitions }) => repetitions ?? [])),
  };
}

/** As the bench's file has it: application -> level -> mode -> what `pick` finds in the row; null is left out. */
export function byName<T>(
  { rows }: ProfilesReport,
  pick: (row: ReportRow) => T | null,
): Record<string, Partial<Record<ProfileLevel, Partial<Record<ModeName, T>>>>> {
  const names: Record<string, Partial<Record<ProfileLevel, Partial<Record<ModeName, T>>>>> = {};
  for (const row of rows) {
    const found = pick(row);
    if (found === null) continue;
    const ofApplication = (names[row.application] ??= {});
    (ofApplication[row.level] ??= {})[row.mode] = found;
  }
  return names;
}

/** Case ids by application in which a restricted run was not as the unrestricted ones. */
export function changedCases(measured: MeasuredApplication): readonly string[] {
  const judged = measured.profiles.flatMap(({ level, heldOut, repetitions }) =>
    [...heldOut, ...repetitions].map((run) => judge(run, level, measured.unrestricted)),
  );
  const changed = judged.filter(({ failed, differing }) => failed || differing.length > 0);
  return [...new Set(changed.map(({ run }) => run.caseId))];
}

/** Unrestricted runs that end otherwise than the corpus says: such cases prove little. In words. */
export function unexpectedEnds(measured: readonly MeasuredApplication[]): readonly string[] {
  return measured.flatMap(({ name, plan, unrestricted }) =>
    [...plan.application.learn, ...plan.application.heldOut].flatMap(({ id, exit }) => {
      const odd = unrestricted.get(id)?.find((run) => !endsAsExpected(run, exit));
      return odd ? [`${name}: ${id} ended ${outcomeOf(odd)} unrestricted, and the corpus says exit code ${exit}`] : [];
    }),
  );
}

function rowOf({ name, plan, unrestricted }: MeasuredApplication, enforced: EnforcedProfile): ReportRow {
  const { level, mode, learned, growth, audit } = enforced;
  const judged = (runs: EnforcedProfile['heldOut']) => runs.map((run) => judge(run, level, unrestricted));
  const heldOut = judged(enforced.heldOut);
  const repeated = judged(enforced.repetitions);
  const counts = count(heldOut);
  return {
    application: name,
    level,
    mode,
    cases: [...plan.application.learn, ...plan.application.heldOut],
    figures: {
      allowed: allowedBy(learned).length,
      seen: allowedFrom(learned, RECORDED_ORIGINS),
      basic: allowedFrom(learned, ['basic']),
      implied: allowedFrom(learned, ['implied']),
      closedCves: closedVulnerabilities(learned.profile).length,
      closedCvesWithConditions: closedWithConditions(learned.profile).length,
      heldOutRuns: counts.runs,
      falseDenials: counts.falseDenials,
      failedJobs: counts.failedJobs,
      differingOutputs: counts.differingOutputs,
      runsToStable: runsToStable(growth),
      audit,
    },
    origins: learned.origins,
    counts,
    heldOut,
    repetitions: repeated.length === 0 ? null : count(repeated),
    repeated,
    open: openBy(learned.origins),
    dangerous: unseenDangerous(learned.origins),
  };
}

function openBy(origins: Readonly<Record<string, string>>): Readonly<Record<string, number>> {
  const calls = [...new Set(VULNERABILITIES.flatMap((each) => each.calls))].filter(
    (call) => origins[call] !== undefined,
  );
  return Object.fromEntries(
    calls.map((call) => [call, VULNERABILITIES.filter((vulnerability) => vulnerability.calls.includes(call)).length]),
  );
}

function unseenDangerous(origins: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(origins).filter(
    (name) => callClass(name) === 'dangerous' && !RECORDED_ORIGINS.includes(origins[name] ?? ''),
  );
}

function totalsOf(rows: readonly ReportRow[]): LevelTotals {
  return {
    applications: new Set(rows.map(({ application }) => application)).size,
    counts: sumOf(rows.map(({ counts }) => counts)),
    medianClosedCves: median(rows.map(({ figures }) => figures.closedCves)),
  };
}
