/** Bars and whether they are reached: the lines below a bench's table, and its exit code. */
import { AA_HALF_WIDTH_MAXIMUM, aaHalfWidth, type Verdict, verdict } from '#lib/overhead';
import { type PerLevel } from '../measure/measured-runs.js';
import { type Pooled } from './pooled.js';

export interface Check {
  readonly what: string;
  readonly verdict: Verdict | 'not-measured';
}

const WORDS: Readonly<Record<Check['verdict'], string>> = {
  'within-bar': 'reached',
  'over-bar': 'NOT REACHED',
  'too-noisy': 'TOO NOISY',
  'not-measured': 'NOT MEASURED',
};
const WIDTH = Math.max(...Object.values(WORDS).map(({ length }) => length));

/** 3 when something cannot be told, 1 when a bar was not reached, 0 when all were. */
export function exitCodeOf(checks: readonly Check[]): 0 | 1 | 3 {
  if (checks.some((check) => check.verdict === 'too-noisy' || check.verdict === 'not-measured')) return 3;
  return checks.every((check) => check.verdict === 'within-bar') ? 0 : 1;
}

export function renderChecks(checks: readonly Check[]): string {
  return checks.map((check) => `${WORDS[check.verdict].padEnd(WIDTH)}  ${check.what}`).join('\n');
}

/** Against itself and without a bar, only the noise decides. */
export function controlCheck(ratios: PerLevel<Pooled>, maximum = AA_HALF_WIDTH_MAXIMUM, of = ''): Check {
  const control = ratios.none;
  const what = `A/A${of === '' ? '' : ` of ${of}`}`;
  if (!control) return { what: `${what}: not measured`, verdict: 'not-measured' };
  return {
    what: `${what}: half-width ${percent(aaHalfWidth(control))}, median ${control.median.toFixed(4)}, each at most ${percent(maximum)} off`,
    verdict: verdict(control, Infinity, control, maximum),
  };
}

/** The upper end of the interval must be within the bar. */
export function ratioCheck(
  what: string,
  ratio: Pooled | undefined,
  control: Pooled | undefined,
  bar: number,
  maximum = AA_HALF_WIDTH_MAXIMUM,
): Check {
  return {
    what: `${what}: upper end ${ratio?.high.toFixed(4) ?? '-'}, to reach ${bar}`,
    verdict: ratio && control ? verdict(ratio, bar, control, maximum) : 'not-measured',
  };
}

/** How many times `dear` adds what `cheap` adds. What seems to add nothing was measured under more noise than it adds. */
export function addedFactor(none: number | undefined, cheap: number | undefined, dear: number | undefined): number {
  return ((dear ?? NaN) - (none ?? NaN)) / ((cheap ?? NaN) - (none ?? NaN));
}

export function factorVerdict(factor: number, bar: number): Check['verdict'] {
  if (Number.isNaN(factor)) return 'not-measured';
  if (!Number.isFinite(factor) || factor <= 0) return 'too-noisy';
  return factor >= bar ? 'within-bar' : 'over-bar';
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
