/** The report of the profiles bench for people: a row for every profile, and every false denial by its kind. */
import { renderTable } from '../table.js';
import { outcomeOf } from './case-run.js';
import { type JudgedRun } from './counts.js';
import { type ProfilesReport, type ReportRow } from './profiles-report.js';
import { VULNERABILITIES } from './reviewed-facts.js';

const HEADER = [
  ...['application, level, mode', 'allowed', 'seen', 'basic', 'implied', `closed of ${VULNERABILITIES}`],
  ...['with conditions', 'runs', 'false denials', 'failed', 'other output', 'stable after'],
];

export function renderProfiles({ rows, levels }: ProfilesReport): string {
  const totals = Object.entries(levels).map(([level, { applications, counts, medianClosedCves }]) => [
    ...[`all ${applications}, ${level}`, '', '', '', '', `median ${medianClosedCves}`, ''],
    ...[counts.runs, counts.falseDenials, counts.failedJobs, counts.differingOutputs].map(String),
    '',
  ]);
  return renderTable(HEADER, [...rows.map(cells), ...totals]);
}

function cells({ application, level, mode, figures }: ReportRow): string[] {
  return [
    `${application}, ${level}, ${mode}`,
    ...[figures.allowed, figures.seen, figures.basic, figures.implied, figures.closedCves].map(String),
    String(figures.closedCvesWithConditions ?? '-'),
    ...[figures.heldOutRuns, figures.falseDenials, figures.failedJobs, figures.differingOutputs].map(String),
    figures.runsToStable === null ? 'still growing' : `${figures.runsToStable} runs`,
  ];
}

export function renderRepetitions({ rows }: ProfilesReport): string {
  const repeated = rows.flatMap(({ application, level, mode, repetitions }) =>
    repetitions
      ? [
          `${application}, ${level}, ${mode}: ${repetitions.runs} runs, ${repetitions.falseDenials} with a false denial, ` +
            `${repetitions.failedJobs} failed, ${repetitions.differingOutputs} with another output`,
        ]
      : [],
  );
  return repeated.length === 0 ? '' : `Learned inputs, repeated:\n${repeated.map((line) => `  ${line}`).join('\n')}`;
}

/** Every call that was refused to an honest job, with the cases and how often. */
export function renderDenials({ rows }: ProfilesReport): string {
  const lines = rows.flatMap((row) => denialLines(row));
  return lines.length === 0 ? 'False denials: none.' : ['False denials:', ...lines].join('\n');
}

function denialLines({ application, level, mode, heldOut, repeated }: ReportRow): string[] {
  const byCall = new Map<string, Map<string, number>>();
  for (const { run } of [...heldOut, ...repeated]) {
    for (const { description, action, errno, count } of run.denials) {
      const what = `${description} ${errno ?? action}`;
      const cases = byCall.get(what) ?? new Map<string, number>();
      byCall.set(what, cases.set(run.caseId, (cases.get(run.caseId) ?? 0) + count));
    }
  }
  return [...byCall].map(([what, cases]) => {
    const counted = [...cases].map(([id, times]) => `${id} x${times}`).join(', ');
    return `  ${application}, ${level}, ${mode}: ${what}: ${counted}`;
  });
}

/** Restricted runs that went otherwise than unrestricted ones, with what they said. */
export function renderChanges({ rows }: ProfilesReport): string {
  const lines = rows.flatMap(({ application, level, mode, heldOut, repeated }) =>
    [...heldOut, ...repeated]
      .filter(({ failed, differing }) => failed || differing.length > 0)
      .map((judged) => `  ${application}, ${level}, ${mode}: ${changeOf(judged)}`),
  );
  return lines.length === 0 ? 'Changed results: none.' : ['Changed results:', ...lines].join('\n');
}

function changeOf({ run, failed, differing, denied }: JudgedRun): string {
  const last = run.stderr?.split('\n').at(-1) ?? '';
  const what = failed ? `ended ${outcomeOf(run)}` : `${run.state} with another ${differing.join(', ')}`;
  const why = denied ? '' : ', and no refused call was reported';
  return `${run.caseId} ${what}${why}${run.error === null ? '' : ` (${run.error})`}${last === '' ? '' : `: ${last}`}`;
}
