/** The monitoring bench's answer, for people: one table, and a line for each bar. */
import { CALLS } from '../programs/calls.js';
import { renderChecks } from '../report/checks.js';
import { LEVEL_NAMES, type LevelName, LEVELS } from '../runs/levels.js';
import { type MonitoringReport } from './monitoring-report.js';
import { type Pooled } from '../report/pooled.js';
import { PROGRAM_NAMES } from '../programs/program-names.js';
import { digits, renderTable } from '../report/table.js';

/** Why a level has no figures at all. */
export type Unavailable = Readonly<Partial<Record<LevelName, string>>>;

export function renderMonitoringReport(report: MonitoringReport, unavailable: Unavailable): string {
  const rows = LEVEL_NAMES.map((level) => [
    LEVELS[level].title,
    ...CALLS.map((call) => digits(report.nsPerCall[call]?.[level] ?? NaN)),
    ...PROGRAM_NAMES.map((program) => ratioCell(report.ratios[program]?.[level])),
    ...(unavailable[level] === undefined ? [] : [`not available: ${unavailable[level]}`]),
  ]);
  return [renderTable(['level', ...CALLS, ...PROGRAM_NAMES], rows), '', renderChecks(report.checks)].join('\n');
}

/** Median, and the ends of the interval. */
function ratioCell(ratio: Pooled | undefined): string {
  if (!ratio) return '-';
  const [median, low, high] = [ratio.median, ratio.low, ratio.high].map((value) =>
    value < 10 ? value.toFixed(3) : digits(value),
  );
  return `${median} (${low}-${high})`;
}
