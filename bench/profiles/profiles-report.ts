/** From the runs of the profiles bench to the figures of every application, level and mode, and their totals. */
import { median } from '#lib/overhead';
import { type CorpusCase } from './corpus.js';
import { count, type Counts, judge, type JudgedRun, type ProfileLevel, sumOf } from './counts.js';
import { allowedBy, allowedFrom, runsToStable } from './learned-profile.js';
import { type EnforcedProfile, type MeasuredApplication } from './measure-application.js';
import { type ModeName } from './modes.js';
import { classOf, closedCves, closedCvesWithConditions } from './reviewed-facts.js';

export interface ProfileFigures {
  readonly allowed: number;
  readonly seen: number;
  readonly basic: number;
  readonly implied: number;
  readonly closedCves: number;
  readonly closedCvesWithConditions: number;
  readonly heldOutRuns: number;
  readonly falseDenials: number;
  readonly failedJobs: number;
  readonly differingOutputs: number;
  readonly runsToStable: number | null;
}

export interface ReportRow {
  readonly application: string;
  readonly level: ProfileLevel;
  readonly mode: ModeName;
  /** All of the application's. */
  readonly cases: readonly CorpusCase[];
  readonly figures: ProfileFigures;
  readonly counts: Counts;
  readonly heldOut: readonly JudgedRun[];
  /** Null where the application is not repeated at this level. */
  readonly repetitions: Counts | null;
  readonly repeated: readonly JudgedRun[];
  /** Calls of class `dangerous` that no recording had; undefined where the product has no classes. */
  readonly dangerous: readonly string[] | undefined;
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

/** The object of `.porin/bench/profiles.json` under `applications`: name -> level -> mode -> figures. */
export function figuresByName({ rows }: ProfilesReport) {
  const applications: Record<string, Partial<Record<ProfileLevel, Partial<Record<ModeName, ProfileFigures>>>>> = {};
  for (const { application, level, mode, figures } of rows) {
    const ofApplication = (applications[application] ??= {});
    (ofApplication[level] ??= {})[mode] = figures;
  }
  return applications;
}

/** Case ids by application in which a restricted run was not as the unrestricted ones. */
export function changedCases(measured: MeasuredApplication): readonly string[] {
  const judged = measured.profiles.flatMap(({ level, heldOut, repetitions }) =>
    [...heldOut, ...repetitions].map((run) => judge(run, level, measured.unrestricted)),
  );
  const changed = judged.filter(({ failed, differing }) => failed || differing.length > 0);
  return [...new Set(changed.map(({ run }) => run.caseId))];
}

function rowOf({ name, plan, unrestricted }: MeasuredApplication, enforced: EnforcedProfile): ReportRow {
  const { level, mode, learned, growth } = enforced;
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
      seen: allowedFrom(learned, 'seen'),
      basic: allowedFrom(learned, 'basic'),
      implied: allowedFrom(learned, 'implied'),
      ...closedOf(enforced),
      heldOutRuns: counts.runs,
      falseDenials: counts.falseDenials,
      failedJobs: counts.failedJobs,
      differingOutputs: counts.differingOutputs,
      runsToStable: runsToStable(growth),
    },
    counts,
    heldOut,
    repetitions: repeated.length === 0 ? null : count(repeated),
    repeated,
    dangerous: unseenDangerous(learned.origins),
  };
}

function closedOf({ learned: { profile } }: EnforcedProfile) {
  return { closedCves: closedCves(profile), closedCvesWithConditions: closedCvesWithConditions(profile) };
}

function unseenDangerous(origins: Readonly<Record<string, string>>): readonly string[] | undefined {
  const names = Object.keys(origins);
  if (names.every((name) => classOf(name) === undefined)) return undefined;
  return names.filter((name) => classOf(name) === 'dangerous' && origins[name] !== 'seen');
}

function totalsOf(rows: readonly ReportRow[]): LevelTotals {
  return {
    applications: new Set(rows.map(({ application }) => application)).size,
    counts: sumOf(rows.map(({ counts }) => counts)),
    medianClosedCves: median(rows.map(({ figures }) => figures.closedCves)),
  };
}
