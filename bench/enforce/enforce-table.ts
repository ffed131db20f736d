/** The enforce bench's answer, for people. */
import { renderChecks } from '../report/checks.js';
import { ENFORCE_CALLS, ENFORCE_LEVELS, type EnforceReport } from './enforce-report.js';
import { LEVELS } from '../runs/levels.js';
import { type Pooled } from '../report/pooled.js';
import { EDF_PROGRAM } from '../programs/program-names.js';
import { digits, renderTable } from '../report/table.js';

export function renderEnforceReport({ ratios, nsPerCall, medianWallUs, checks }: EnforceReport): string {
  const rows = ENFORCE_LEVELS.map((level) => [
    LEVELS[level].title,
    ...ENFORCE_CALLS.map((call) => digits(nsPerCall[call]?.[level] ?? NaN)),
    digits((medianWallUs[level] ?? NaN) / 1000),
    ...ratioCells(ratios[level]),
  ]);
  const calls = ENFORCE_CALLS.map((call) => `ns ${call}`);
  const header = ['level', ...calls, `ms ${EDF_PROGRAM}`, 'ratio', 'low', 'high', 'pairs'];
  return [renderTable(header, rows), '', renderChecks(checks)].join('\n');
}

function ratioCells(ratio: Pooled | undefined): string[] {
  if (!ratio) return ['-', '-', '-', '0'];
  return [...[ratio.median, ratio.low, ratio.high].map((value) => value.toFixed(4)), String(ratio.pairs)];
}
