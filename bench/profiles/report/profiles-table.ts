/** The report of the profiles bench for people: a row for every profile, and every false denial by its kind. */
import { VULNERABILITIES } from '#lib/profiles';
import { renderTable } from '../../report/table.js';
import { type AuditCourse } from '../learn/audit-course.js';
import { outcomeOf } from '../cases/case-run.js';
import { type JudgedRun } from './counts.js';
import { type ProfilesReport, type ReportRow } from './profiles-report.js';

const HEADER = [
  ...['application, level, mode', 'allowed', 'seen', 'basic', 'implied', `closed of ${VULNERABILITIES.length}`],
  ...['with conditions', 'runs', 'false denials', 'failed', 'other output', 'stable after'],
  ...['runs in audit', 'approved in it', 'promoted'],
];

export function renderProfiles({ rows, levels }: ProfilesReport): string {
  const totals = Object.entries(levels).map(([level, { applications, counts, medianClosedCves }]) => [
    ...[`all ${applications}, ${level}`, '', '', '', '', `median ${medianClosedCves}`, ''],
    ...[counts.runs, counts.falseDenials, counts.failedJobs, counts.differingOutputs].map(String),
    '',
    ...auditTotals(rows.filter((row) => row.level === level)),
  ]);
  return renderTable(HEADER, [...rows.map(cells), ...totals]);
}

function cells(row: ReportRow): string[] {
  const { figures } = row;
  return [
    nameOf(row),
    ...[figures.allowed, figures.seen, figures.basic, figures.implied, figures.closedCves].map(String),
    String(figures.closedCvesWithConditions),
    ...[figures.heldOutRuns, figures.falseDenials, figures.failedJobs, figures.differingOutputs].map(String),
    figures.runsToStable === null ? 'still growing' : `${figures.runsToStable} runs`,
    ...auditCells(figures.audit),
  ];
}

function auditCells(audit: AuditCourse | null): string[] {
  if (!audit) return ['-', '-', '-'];
  return [String(audit.runs), String(audit.approved), audit.isPromoted ? 'by itself' : 'by a person'];
}

function auditTotals(rows: readonly ReportRow[]): string[] {
  const audits = rows.flatMap(({ figures }) => figures.audit ?? []);
  if (audits.length === 0) return auditCells(null);
  const sum = (of: 'runs' | 'approved') => String(audits.reduce((total, audit) => total + audit[of], 0));
  const promoted = audits.filter(({ isPromoted }) => isPromoted).length;
  return [sum('runs'), sum('approved'), `${promoted} of ${audits.length} by itself`];
}

/** Equal lines of several profiles are one. */
export function renderOpen({ rows }: ProfilesReport): string {
  const byCalls = new Map<string, string[]>();
  for (const row of rows) {
    const calls = Object.entries(row.open)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([call, count]) => `${call} ${count} (${row.origins[call]})`)
      .join(', ');
    byCalls.set(calls, [...(byCalls.get(calls) ?? []), nameOf(row)]);
  }
  const lines = [...byCalls].map(([calls, names]) => `  ${calls || 'none'}: ${names.join('; ')}`);
  return ['Vulnerabilities left open, by the call that leads to them:', ...lines].join('\n');
}

export function renderRepetitions({ rows }: ProfilesReport): string {
  const repeated = rows.flatMap((row) => {
    const { repetitions } = row;
    return repetitions
      ? [
          `${nameOf(row)}: ${repetitions.runs} runs, ${repetitions.falseDenials} with a false denial, ` +
            `${repetitions.failedJobs} failed, ${repetitions.differingOutputs} with another output`,
        ]
      : [];
  });
  return repeated.length === 0 ? '' : `Learned inputs, repeated:\n${repeated.map((line) => `  ${line}`).join('\n')}`;
}

/** Every call that was refused to an honest job, with the cases and how often; then the same by call. */
export function renderDenials({ rows }: ProfilesReport): string {
  const lines = rows.flatMap(denialLines);
  if (lines.length === 0) return 'False denials: none.';
  return ['False denials:', ...lines, '', 'Runs in which a call was refused:', ...callLines(rows)].join('\n');
}

interface Refused {
  /** As the denials describe it. */
  readonly descriptions: Set<string>;
  /** Case -> times. */
  readonly cases: Map<string, number>;
}

function denialLines(row: ReportRow): string[] {
  const byCall = new Map<string, Refused>();
  for (const { run } of runsOf(row)) {
    for (const { call, description, action, errno, count } of run.denials) {
      const key = `${call} ${errno ?? action}`;
      const refused: Refused = byCall.get(key) ?? { descriptions: new Set(), cases: new Map() };
      refused.descriptions.add(description);
      refused.cases.set(run.caseId, (refused.cases.get(run.caseId) ?? 0) + count);
      byCall.set(key, refused);
    }
  }
  const kinds = new Map(row.cases.map(({ id, kind }) => [id, kind]));
  return [...byCall].map(([key, { descriptions, cases }]) => {
    const [first, ...others] = descriptions;
    const more = others.length === 0 ? '' : ` and ${others.length} more kinds`;
    const counted = [...cases].map(([id, times]) => `${id} ${kinds.get(id) ?? ''} x${times}`).join(', ');
    return `  ${nameOf(row)}: ${first}${more}, ${key.split(' ')[1]}: ${counted}`;
  });
}

function callLines(rows: readonly ReportRow[]): string[] {
  const byCall = new Map<string, { runs: number; applications: Set<string> }>();
  for (const row of rows) {
    for (const { run } of runsOf(row)) {
      for (const call of new Set(run.denials.map((denial) => denial.call))) {
        const { runs, applications } = byCall.get(call) ?? { runs: 0, applications: new Set() };
        byCall.set(call, { runs: runs + 1, applications: applications.add(row.application) });
      }
    }
  }
  return [...byCall]
    .sort(([, a], [, b]) => b.runs - a.runs)
    .map(([call, { runs, applications }]) => `  ${call} ${runs}: ${[...applications].join(', ')}`);
}

function runsOf({ heldOut, repeated }: ReportRow): readonly JudgedRun[] {
  return [...heldOut, ...repeated];
}

function nameOf({ application, level, mode }: ReportRow): string {
  return `${application}, ${level}, ${mode}`;
}

/** Restricted runs that went otherwise than unrestricted ones, with what they said. */
export function renderChanges({ rows }: ProfilesReport): string {
  const lines = rows.flatMap((row) =>
    runsOf(row)
      .filter(({ failed, differing }) => failed || differing.length > 0)
      .map((judged) => `  ${nameOf(row)}: ${changeOf(judged)}`),
  );
  return lines.length === 0 ? 'Changed results: none.' : ['Changed results:', ...lines].join('\n');
}

function changeOf({ run, failed, differing, denied }: JudgedRun): string {
  const last = run.stderr?.split('\n').at(-1) ?? '';
  const what = failed ? `ended ${outcomeOf(run)}` : `${run.state} with another ${differing.join(', ')}`;
  const why = denied ? '' : ', and no refused call was reported';
  return `${run.caseId} ${what}${why}${run.error === null ? '' : ` (${run.error})`}${last === '' ? '' : `: ${last}`}`;
}
