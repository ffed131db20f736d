import { DEFAULT_BOOTSTRAP, seededRandom } from '#lib/overhead';
import { describe, expect, it } from 'vitest';
import { planBlocks } from '../measure/block-plan.js';
import { CALLS, REFUSED_CALLS } from '../programs/calls.js';
import { type Check, exitCodeOf } from '../report/checks.js';
import { LEVEL_NAMES, type LevelName, levelOf } from '../runs/levels.js';
import { type MeasuredRun } from '../measure/measured-runs.js';
import { worstProgram } from './monitoring-bars.js';
import { monitoringReport } from './monitoring-report.js';
import { ENOUGH_BLOCKS, monitoringSchedule } from './monitoring-schedule.js';
import { renderMonitoringReport } from './monitoring-table.js';
import { PROGRAM_NAMES, type ProgramName } from '../programs/program-names.js';

const RATIOS: Readonly<Record<LevelName, number>> = {
  none: 1,
  enforce: 1.002,
  'enforce-arguments': 1.003,
  'enforce-files': 1.005,
  audit: 1.002,
  syscalls: 1.01,
  arguments: 1.02,
  files: 1.03,
  'trace-notify': 1.3,
  trace: 3,
  strace: 2.2,
  bpftrace: 1.05,
};
const ADDED_NS: Readonly<Record<LevelName, number>> = {
  none: 0,
  enforce: 2,
  'enforce-arguments': 20,
  'enforce-files': 20,
  audit: 2,
  syscalls: 90,
  arguments: 240,
  files: 260,
  'trace-notify': 6000,
  trace: 300_000,
  strace: 90_000,
  bpftrace: 300,
};
const BOOTSTRAP = { ...DEFAULT_BOOTSTRAP, resamples: 200 };
/** How many times more than on edf-normalize. */
const WEIGHTS: Readonly<Record<ProgramName, number>> = { 'edf-normalize': 1, tar: 10, threads: 2, shell: 4 };

interface Simulated {
  readonly noise?: number;
  readonly ratios?: Partial<Record<LevelName, number>>;
  readonly addedNs?: Partial<Record<LevelName, number>>;
  readonly refusedNs?: number;
  readonly programs?: readonly ProgramName[];
  readonly levels?: readonly LevelName[];
}

/** A whole bench on a machine with 20 % drift from block to block. */
function simulate(options: Simulated = {}) {
  const { noise = 0.005, refusedNs = 5500, programs = PROGRAM_NAMES, levels = LEVEL_NAMES } = options;
  const random = seededRandom(3);
  const runs: MeasuredRun[] = [];
  for (const { index, rounds } of planBlocks(ENOUGH_BLOCKS, monitoringSchedule({ programs, levels }), random)) {
    const drift = 700_000 * (1 + 0.2 * random());
    for (const { program, slots } of rounds) {
      for (const slot of slots) {
        const level = levelOf(slot);
        const own = 1 + noise * (random() + random() - 1);
        const ratio = { ...RATIOS, ...options.ratios }[level];
        const ns = { ...ADDED_NS, ...options.addedNs }[level] + 150 * own;
        const nsPerCall =
          program === 'calls'
            ? Object.fromEntries(CALLS.map((call) => [call, ns]))
            : Object.fromEntries(REFUSED_CALLS.map((call) => [call, refusedNs * own]));
        const weight = WEIGHTS[program as ProgramName] ?? 1;
        runs.push({
          program,
          block: index,
          slot,
          wallUs: drift * own * (1 + weight * (ratio - 1)),
          ...(['calls', 'refused'].includes(program) && { nsPerCall }),
        });
      }
    }
  }
  return monitoringReport(runs, BOOTSTRAP);
}

function verdictOn(checks: readonly Check[], what: string | RegExp): readonly string[] {
  return checks.filter((check) => check.what.match(what)).map(({ verdict }) => verdict);
}

describe('monitoringReport', () => {
  it('finds simulated ratios of every program and level', () => {
    const { ratios } = simulate();
    for (const program of PROGRAM_NAMES) {
      for (const level of LEVEL_NAMES.filter((name) => name !== 'trace')) {
        const ratio = 1 + WEIGHTS[program] * (RATIOS[level] - 1);
        expect(Math.abs((ratios[program]?.[level]?.median ?? 0) / ratio - 1)).toBeLessThan(0.006);
      }
    }
    expect(ratios['edf-normalize']?.files?.pairs).toBe(ENOUGH_BLOCKS);
    expect(ratios.tar?.strace?.pairs).toBe(3);
  });

  it('finds what a level adds to a call', () => {
    const { addedNs } = simulate();
    expect(addedNs.getppid?.arguments?.median).toBeCloseTo(240, -1);
    expect(addedNs.clone?.strace?.median).toBeCloseTo(90_000, -2);
  });

  it('passes when all bars are reached, each with a line of its own', () => {
    const { checks } = simulate();
    expect(checks.filter(({ verdict }) => verdict !== 'within-bar')).toEqual([]);
    expect(checks).toHaveLength(14);
    expect(exitCodeOf(checks)).toBe(0);
  });

  it.each<[string, Simulated, string]>([
    ['enforcing files', { ratios: { 'enforce-files': 1.021 } }, 'enforce-files on edf'],
    ['recording arguments', { ratios: { arguments: 1.051 } }, 'arguments on edf'],
    ['recording files of one program', { ratios: { files: 1.051 } }, 'files on tar, of all programs the worst'],
    ['too cheap a strace', { ratios: { strace: 1.4 } }, 'strace on tar'],
    ['counting a call', { addedNs: { syscalls: 201 } }, 'syscalls adds to getppid'],
    ['recording the arguments of a call', { addedNs: { arguments: 451 } }, 'arguments adds to fcntl'],
    ['a notified call', { addedNs: { 'trace-notify': 9001 } }, 'trace-notify: 10.0 times'],
    ['a refused call', { refusedNs: 8001 }, 'a refused openat'],
  ])('fails with code 1 for %s', (_what, options, line) => {
    const { checks } = simulate(options);
    expect(verdictOn(checks, line)).toEqual(['over-bar']);
    expect(exitCodeOf(checks)).toBe(1);
  });

  it('says nothing about ratios where the control is too wide, and then fails with code 3', () => {
    const { checks } = simulate({ noise: 0.2 });
    expect(verdictOn(checks, 'on edf-normalize')).toEqual(['too-noisy', 'too-noisy', 'too-noisy']);
    expect(exitCodeOf(checks)).toBe(3);
  });

  it('does not believe a level that adds nothing to a call', () => {
    const { checks } = simulate({ addedNs: { syscalls: -1 } });
    expect(verdictOn(checks, 'syscalls adds')).toEqual(['too-noisy', 'too-noisy']);
  });

  it('knows no worst program before all were measured', () => {
    const { checks, ratios } = simulate({ programs: ['edf-normalize', 'tar', 'threads'] });
    expect(worstProgram(ratios)).toBeUndefined();
    expect(verdictOn(checks, 'the worst')).toEqual(['not-measured', 'not-measured', 'not-measured']);
    expect(exitCodeOf(checks)).toBe(3);
  });

  it.each<LevelName>(['enforce-files', 'syscalls', 'arguments', 'files', 'trace-notify', 'strace', 'enforce'])(
    'never passes when %s was not measured',
    (left) => {
      const { checks } = simulate({ levels: LEVEL_NAMES.filter((level) => level !== left) });
      expect(exitCodeOf(checks)).toBe(3);
    },
  );

  it('never passes when nothing was measured', () => {
    expect(exitCodeOf(monitoringReport([], BOOTSTRAP).checks)).toBe(3);
  });

  it('does without bpftrace and trace, on which no bar hangs', () => {
    const { checks } = simulate({ levels: LEVEL_NAMES.filter((level) => level !== 'bpftrace' && level !== 'trace') });
    expect(exitCodeOf(checks)).toBe(0);
  });
});

describe('renderMonitoringReport', () => {
  it('has a row for each level, with figures or why there are none', () => {
    const report = simulate({ levels: LEVEL_NAMES.filter((level) => level !== 'strace') });
    const text = renderMonitoringReport(report, { strace: 'spawn strace ENOENT' });
    const rows = text.split('\n').slice(0, LEVEL_NAMES.length + 1);
    expect(rows[0]).toMatch(/^level +getppid .* edf-normalize +tar +threads +shell$/);
    expect(rows[1]).toMatch(/^none \(A\/A\)( +\d+){6}( +\d\.\d{3} \(\d\.\d{3}-\d\.\d{3}\)){4}$/);
    expect(rows[11]).toMatch(/^strace -f( +-){10} +not available: spawn strace ENOENT$/);
    expect(text).toMatch(/^NOT MEASURED {2}strace on tar: lower end -, to be more than 5$/m);
  });
});
