import { seededRandom } from '#lib/overhead';
import { describe, expect, it } from 'vitest';
import { planBlocks } from '../measure/block-plan.js';
import { exitCodeOf } from '../report/checks.js';
import { enforceReport } from './enforce-report.js';
import { renderEnforceReport } from './enforce-table.js';
import { levelOf } from '../runs/levels.js';
import { type MeasuredRun } from '../measure/measured-runs.js';
import { renderResult } from '../report/result-file.js';

const TRUE_RATIOS = { none: 1, enforce: 1.005, audit: 1.01, syscalls: 1.03, strace: 2.2 };
const NS = { none: 130, enforce: 160, audit: 160, syscalls: 280, strace: 92_000 };
type Level = keyof typeof NS;
const SCHEDULE = {
  'edf-normalize': { enforce: 1, audit: 1, syscalls: 1, strace: 5 },
  calls: { enforce: 5, audit: 5, syscalls: 5, strace: 5 },
};

/** A bench of 100 blocks on a machine with 20 % drift from block to block, and so much noise of each run. */
function simulate(noise: number, ratios: Partial<Record<Level, number>> = {}, ns = NS) {
  const random = seededRandom(3);
  const runs: MeasuredRun[] = [];
  for (const { index, rounds } of planBlocks(100, SCHEDULE, random)) {
    const drift = 700_000 * (1 + 0.2 * random());
    for (const { program, slots } of rounds) {
      for (const slot of slots) {
        const level = levelOf(slot) as Level;
        const own = 1 + noise * (random() + random() - 1);
        const wallUs = drift * own * { ...TRUE_RATIOS, ...ratios }[level];
        const nsPerCall = { getppid: ns[level], 'open+read+close': 10 * ns[level] };
        runs.push({ program, block: index, slot, wallUs, ...(program === 'calls' && { nsPerCall }) });
      }
    }
  }
  return enforceReport(runs, 1);
}
const verdicts = (report: ReturnType<typeof simulate>) => report.checks.map((check) => check.verdict);

describe('enforceReport', () => {
  it('finds simulated ratios, with one pair a block and strace in every fifth', () => {
    const { ratios } = simulate(0.01);
    for (const [level, ratio] of Object.entries(TRUE_RATIOS) as [Level, number][]) {
      expect(Math.abs((ratios[level]?.median ?? 0) / ratio - 1)).toBeLessThan(0.005);
      expect(ratios[level]?.pairs).toBe(level === 'strace' ? 20 : 100);
    }
  });

  it('has the median nanoseconds of every call and level', () => {
    const { nsPerCall, straceFactor } = simulate(0.01);
    expect(nsPerCall).toEqual({
      getppid: NS,
      'open+read+close': { none: 1300, enforce: 1600, audit: 1600, syscalls: 2800, strace: 920_000 },
    });
    expect(straceFactor).toBeCloseTo(91_870 / 150, 6);
  });

  it('passes when all bars are reached', () => {
    const report = simulate(0.01);
    expect(verdicts(report)).toEqual(['within-bar', 'within-bar', 'within-bar', 'within-bar']);
    expect(exitCodeOf(report.checks)).toBe(0);
  });

  it.each([
    ['enforcement', { enforce: 1.021 }, NS],
    ['recording', { syscalls: 1.051 }, NS],
    ['a call', {}, { ...NS, syscalls: 480 }],
  ])('fails with code 1 when %s costs too much', (_what, ratios, ns) => {
    expect(exitCodeOf(simulate(0.01, ratios, ns).checks)).toBe(1);
  });

  it('fails with code 3 when the control is too wide, whatever else', () => {
    const report = simulate(0.2, { enforce: 2 });
    expect(verdicts(report).slice(0, 3)).toEqual(['too-noisy', 'too-noisy', 'too-noisy']);
    expect(exitCodeOf(report.checks)).toBe(3);
  });

  it('does not believe a recorder that costs nothing', () => {
    expect(exitCodeOf(simulate(0.01, {}, { ...NS, syscalls: 129 }).checks)).toBe(3);
  });

  it('never passes when a level was not measured', () => {
    const program = 'edf-normalize';
    const none: MeasuredRun[] = [0, 1].flatMap((block) => [
      { program, block, slot: 'none', wallUs: 1 },
      { program, block, slot: 'control', wallUs: 1 },
    ]);
    expect(exitCodeOf(enforceReport(none, 1).checks)).toBe(3);
    expect(exitCodeOf(enforceReport([], 1).checks)).toBe(3);
  });
});

describe('renderEnforceReport', () => {
  it('has a row for each level and a line for each bar', () => {
    const text = renderEnforceReport(simulate(0.01));
    expect(text).toMatch(/^none \(A\/A\) +130 +1300 +\d+ +\d\.\d{4} +\d\.\d{4} +\d\.\d{4} +100$/m);
    expect(text).toMatch(/^strace -f +92000 .* 20$/m);
    expect(text.match(/^reached {7}/gm)).toHaveLength(4);
  });
});

describe('renderResult', () => {
  it('has exactly the keys that other programs read', () => {
    const { ratios, nsPerCall } = simulate(0.01);
    const environment = { kernel: '6.18' } as Parameters<typeof renderResult>[0]['environment'];
    const parsed: unknown = JSON.parse(renderResult({ environment, nsPerCall, ratios: { 'edf-normalize': ratios } }));
    expect(parsed).toEqual({
      environment: { kernel: '6.18' },
      nsPerCall: { getppid: expect.any(Object), 'open+read+close': expect.any(Object) },
      ratios: {
        'edf-normalize': Object.fromEntries(
          ['none', 'enforce', 'audit', 'syscalls', 'strace'].map((level) => [
            level,
            {
              median: expect.any(Number),
              low: expect.any(Number),
              high: expect.any(Number),
              pairs: expect.any(Number),
            },
          ]),
        ),
      },
    });
  });
});
