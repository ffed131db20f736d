/** From the measured runs to ratios, nanoseconds per call, a verdict on each bar, and the exit code. */
import {
  AA_HALF_WIDTH_MAXIMUM,
  aaHalfWidth,
  DEFAULT_BOOTSTRAP,
  median,
  type PairedRatio,
  type Verdict,
  verdict,
} from '#lib/overhead';
import { type BaselinedRun, pooledRatio } from './pooled-ratio.js';
import { LEVELS, levelOf, type LevelName, type Slot } from './block-plan.js';

export const PROGRAM = 'edf-normalize';
export const CALLS = ['getppid', 'open+read+close'] as const;
export type CallName = (typeof CALLS)[number];

/** One run of the EDF program. */
export interface PayloadRun {
  readonly block: number;
  readonly slot: Slot;
  readonly wallUs: number;
}

/** One run of calls.c. */
export interface CallsRun {
  readonly slot: Slot;
  readonly nsPerCall: Readonly<Record<CallName, number>>;
}

/** Upper ends of the intervals of the payload's wall time, and how many times dearer strace must be per call. */
export const BARS = { enforce: 1.02, syscalls: 1.05, straceFactor: 300 } as const;

export interface Check {
  readonly what: string;
  readonly verdict: Verdict;
}

export interface EnforceReport {
  /** `none` is the control: the second `none` of each block against the first. */
  readonly ratios: Readonly<Partial<Record<LevelName, PairedRatio>>>;
  readonly nsPerCall: Readonly<Record<string, Readonly<Partial<Record<LevelName, number>>>>>;
  readonly medianWallUs: Readonly<Partial<Record<LevelName, number>>>;
  /** ((strace - none) / (syscalls - none)) of getppid; NaN where it was not measured. */
  readonly straceFactor: number;
  readonly checks: readonly Check[];
}

export function enforceReport(runs: readonly PayloadRun[], calls: readonly CallsRun[], seed: number): EnforceReport {
  const options = { ...DEFAULT_BOOTSTRAP, seed };
  const ratios = Object.fromEntries(
    LEVELS.flatMap((level) => {
      const blocks = level === 'none' ? controlBlocks(runs) : levelBlocks(runs, level);
      return blocks.length === 0 ? [] : [[level, pooledRatio(blocks, options)]];
    }),
  ) as EnforceReport['ratios'];
  const nsPerCall = Object.fromEntries(
    CALLS.map((call) => [call, medianPerLevel(calls.map((run) => ({ slot: run.slot, value: run.nsPerCall[call] })))]),
  );
  const straceFactor = factorOf(nsPerCall.getppid ?? {});
  return {
    ratios,
    nsPerCall,
    medianWallUs: medianPerLevel(runs.map(({ slot, wallUs }) => ({ slot, value: wallUs }))),
    straceFactor,
    checks: checksOf(ratios, straceFactor),
  };
}

/** 3 when the machine was too noisy to say anything, 1 when a bar was not reached, 0 when all were. */
export function exitCodeOf(checks: readonly Check[]): 0 | 1 | 3 {
  if (checks.some((check) => check.verdict === 'too-noisy')) return 3;
  return checks.every((check) => check.verdict === 'within-bar') ? 0 : 1;
}

/** The second `none` of each block against the first. */
export function controlBlocks(runs: readonly PayloadRun[]): readonly BaselinedRun[] {
  return blocksOf(runs).flatMap(({ none, control }) =>
    none === undefined || control === undefined ? [] : [{ measured: control, baselines: [none] }],
  );
}

/** The level's run of each block against both `none`. */
function levelBlocks(runs: readonly PayloadRun[], level: LevelName): readonly BaselinedRun[] {
  return blocksOf(runs).flatMap(({ none, control, [level]: measured }) =>
    none === undefined || control === undefined || measured === undefined
      ? []
      : [{ measured, baselines: [none, control] }],
  );
}

function blocksOf(runs: readonly PayloadRun[]): readonly Readonly<Partial<Record<Slot, number>>>[] {
  const blocks = new Map<number, Partial<Record<Slot, number>>>();
  for (const { block, slot, wallUs } of runs) blocks.set(block, { ...blocks.get(block), [slot]: wallUs });
  return [...blocks.values()];
}

function medianPerLevel(
  values: readonly { readonly slot: Slot; readonly value: number }[],
): Readonly<Partial<Record<LevelName, number>>> {
  return Object.fromEntries(
    LEVELS.flatMap((level) => {
      const ofLevel = values.filter(({ slot }) => levelOf(slot) === level).map(({ value }) => value);
      return ofLevel.length === 0 ? [] : [[level, median(ofLevel)]];
    }),
  );
}

function factorOf({ none = NaN, syscalls = NaN, strace = NaN }: Partial<Record<LevelName, number>>): number {
  return (strace - none) / (syscalls - none);
}

function checksOf(ratios: EnforceReport['ratios'], straceFactor: number): readonly Check[] {
  const control = ratios.none;
  const ofRatio = (level: 'enforce' | 'syscalls'): Check => {
    const ratio = ratios[level];
    const high = ratio?.high.toFixed(4) ?? '-';
    return {
      what: `${level}: upper end ${high}, to reach ${BARS[level]}`,
      verdict: ratio && control ? verdict(ratio, BARS[level], control) : 'too-noisy',
    };
  };
  return [
    control
      ? {
          what: `A/A: half-width ${percent(aaHalfWidth(control))}, median ${control.median.toFixed(4)}, each at most ${percent(AA_HALF_WIDTH_MAXIMUM)} off`,
          // Against itself and without a bar, only the noise decides.
          verdict: verdict(control, Infinity, control),
        }
      : { what: 'A/A: not measured', verdict: 'too-noisy' },
    ofRatio('enforce'),
    ofRatio('syscalls'),
    {
      what: `recorder: ${straceFactor.toFixed(0)} times cheaper per call than strace, to reach ${BARS.straceFactor}`,
      verdict: verdictOfFactor(straceFactor),
    },
  ];
}

/** A recorder that seems to cost nothing was measured under more noise than it costs. */
function verdictOfFactor(factor: number): Verdict {
  if (!Number.isFinite(factor) || factor <= 0) return 'too-noisy';
  return factor >= BARS.straceFactor ? 'within-bar' : 'over-bar';
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
