/** The enforce bench's answer, for people. */
import { type PairedRatio, type Verdict } from '#lib/overhead';
import { LEVELS, type LevelName } from './block-plan.js';
import { CALLS, type Check, type EnforceReport, PROGRAM } from './enforce-report.js';
import { digits, renderTable } from './table.js';

const TITLES: Readonly<Record<LevelName, string>> = {
  none: 'none (A/A)',
  enforce: 'enforce',
  audit: 'audit',
  syscalls: 'syscalls',
  strace: 'strace -f',
};
const WORDS: Readonly<Record<Verdict, string>> = {
  'within-bar': 'reached',
  'over-bar': 'NOT REACHED',
  'too-noisy': 'TOO NOISY',
};

export function renderEnforceReport({ ratios, nsPerCall, medianWallUs, checks }: EnforceReport): string {
  const rows = LEVELS.map((level) => [
    TITLES[level],
    ...CALLS.map((call) => digits(nsPerCall[call]?.[level] ?? NaN)),
    digits((medianWallUs[level] ?? NaN) / 1000),
    ...ratioCells(ratios[level]),
  ]);
  const header = ['level', ...CALLS.map((call) => `ns ${call}`), `ms ${PROGRAM}`, 'ratio', 'low', 'high', 'pairs'];
  return [renderTable(header, rows), '', renderChecks(checks)].join('\n');
}

export function renderChecks(checks: readonly Check[]): string {
  return checks.map(({ what, verdict }) => `${WORDS[verdict].padEnd(11)}  ${what}`).join('\n');
}

function ratioCells(ratio: PairedRatio | undefined): string[] {
  if (!ratio) return ['-', '-', '-', '0'];
  return [...[ratio.median, ratio.low, ratio.high].map((value) => value.toFixed(4)), String(ratio.pairs)];
}
