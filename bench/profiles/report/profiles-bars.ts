/** The bars of the profiles bench. */
import { VULNERABILITIES } from '#lib/profiles';
import { type Check } from '../../report/checks.js';
import { type Counts, type ProfileLevel } from './counts.js';
import { type ModeName } from '../learn/modes.js';
import { type ProfilesReport, type ReportRow } from './profiles-report.js';

/** Of 100 runs with a false denial, at most; vulnerabilities closed by names, at least. */
export const PROFILE_BARS = {
  falseDenialPercent: { stages: 0, direct: 2 },
  medianClosedCves: 25,
  exampleClosedCves: 26,
} as const;
export const EXAMPLE = 'edf-normalize';

/** `levels` and `mode` are what was asked for. An audit leaves no false denial to bear. */
export function profileChecks(
  report: ProfilesReport,
  { levels, mode }: { readonly levels: readonly ProfileLevel[]; readonly mode: ModeName },
): readonly Check[] {
  const bar = PROFILE_BARS.falseDenialPercent[mode];
  return [
    ...levels.map((level) => denialsCheck(`false denials, ${level}`, report.levels[level]?.counts, bar)),
    denialsCheck('false denials, all levels', report.heldOut, bar),
    denialsCheck('false denials, learned inputs repeated', report.repetitions, bar),
    silenceCheck(report),
    ...(mode === 'stages' ? levels.map((level) => changesCheck(level, report.levels[level]?.counts)) : []),
    ...levels.map((level) => medianCheck(level, report.levels[level]?.medianClosedCves)),
    exampleCheck(report.rows),
    dangerousCheck(report.rows),
  ];
}

function denialsCheck(what: string, counts: Counts | undefined, barPercent: number): Check {
  const bar = `to reach ${barPercent} in 100`;
  if (!counts || counts.runs === 0) return { what: `${what}: ${bar}`, verdict: 'not-measured' };
  const { falseDenials, runs } = counts;
  const percent = (100 * falseDenials) / runs;
  return {
    what: `${what}: ${falseDenials} of ${runs} runs, ${percent.toFixed(1)} in 100, ${bar}`,
    verdict: percent <= barPercent ? 'within-bar' : 'over-bar',
  };
}

/** Whatever the reason: a profile that was audited changes nothing. */
function changesCheck(level: ProfileLevel, counts: Counts | undefined): Check {
  const what = `failed jobs and differing outputs, ${level}`;
  if (!counts || counts.runs === 0) return { what: `${what}: to reach 0`, verdict: 'not-measured' };
  const { failedJobs, differingOutputs } = counts;
  return {
    what: `${what}: ${failedJobs} and ${differingOutputs}, to reach 0`,
    verdict: failedJobs + differingOutputs === 0 ? 'within-bar' : 'over-bar',
  };
}

function silenceCheck({ heldOut, repetitions }: ProfilesReport): Check {
  const wrong = heldOut.silentlyWrong + repetitions.silentlyWrong;
  return {
    what: `runs with a false denial that ended COMPLETE with another output: ${wrong}, to reach 0`,
    verdict: heldOut.runs === 0 ? 'not-measured' : wrong === 0 ? 'within-bar' : 'over-bar',
  };
}

function medianCheck(level: ProfileLevel, median: number | undefined): Check {
  const { medianClosedCves: bar } = PROFILE_BARS;
  return {
    what: `vulnerabilities closed by names, median, ${level}: ${median ?? '-'} of ${VULNERABILITIES.length}, to reach ${bar}`,
    verdict: median === undefined ? 'not-measured' : median >= bar ? 'within-bar' : 'over-bar',
  };
}

/** At the level at which it closes least. */
function exampleCheck(rows: readonly ReportRow[]): Check {
  const closed = rows.filter(({ application }) => application === EXAMPLE).map(({ figures }) => figures.closedCves);
  const least = Math.min(...closed);
  const { exampleClosedCves: bar } = PROFILE_BARS;
  return {
    what: `vulnerabilities closed by names, ${EXAMPLE}: ${closed.length === 0 ? '-' : least} of ${VULNERABILITIES.length}, to reach ${bar}`,
    verdict: closed.length === 0 ? 'not-measured' : least >= bar ? 'within-bar' : 'over-bar',
  };
}

function dangerousCheck(rows: readonly ReportRow[]): Check {
  const what = 'dangerous calls allowed that no recording had';
  const found = rows.flatMap(({ dangerous }) => dangerous);
  const names = [...new Set(found)].join(', ');
  return {
    what: `${what}: ${found.length}${names === '' ? '' : ` (${names})`}, to reach 0`,
    verdict: rows.length === 0 ? 'not-measured' : found.length === 0 ? 'within-bar' : 'over-bar',
  };
}
