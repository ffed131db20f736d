/** From the runs of the enforce bench to ratios, nanoseconds per call and a verdict on each bar. */
import { DEFAULT_BOOTSTRAP } from '#lib/overhead';
import { addedFactor, type Check, controlCheck, factorVerdict, ratioCheck } from '../report/checks.js';
import { type LevelName } from '../runs/levels.js';
import {
  baselined,
  type MeasuredRun,
  medians,
  nsOf,
  ofProgram,
  perLevel,
  type PerLevel,
  wallUs,
} from '../measure/measured-runs.js';
import { type Pooled, pooledRatio } from '../report/pooled.js';
import { CALLS_PROGRAM, EDF_PROGRAM } from '../programs/program-names.js';

export const ENFORCE_LEVELS = ['none', 'enforce', 'audit', 'syscalls', 'strace'] as const satisfies LevelName[];
export const ENFORCE_CALLS = ['getppid', 'open+read+close'] as const;

/** Upper ends of the intervals of the payload's wall time, and how many times dearer strace must be per call. */
export const BARS = { enforce: 1.02, syscalls: 1.05, straceFactor: 300 } as const;

export interface EnforceReport {
  /** `none` is the control: the second `none` of each block against the first. */
  readonly ratios: PerLevel<Pooled>;
  readonly nsPerCall: Readonly<Record<string, PerLevel<number>>>;
  readonly medianWallUs: PerLevel<number>;
  /** ((strace - none) / (syscalls - none)) of getppid; NaN where it was not measured. */
  readonly straceFactor: number;
  readonly checks: readonly Check[];
}

export function enforceReport(runs: readonly MeasuredRun[], seed: number): EnforceReport {
  const options = { ...DEFAULT_BOOTSTRAP, seed };
  const ofEdf = ofProgram(runs, EDF_PROGRAM);
  const ratios = perLevel(ENFORCE_LEVELS, (level) => {
    const blocks = baselined(ofEdf, level, wallUs);
    return blocks.length === 0 ? undefined : pooledRatio(blocks, options);
  });
  const ofCalls = ofProgram(runs, CALLS_PROGRAM);
  const nsPerCall = Object.fromEntries(ENFORCE_CALLS.map((call) => [call, medians(ofCalls, nsOf(call))]));
  const { none, syscalls, strace } = nsPerCall.getppid ?? {};
  const straceFactor = addedFactor(none, syscalls, strace);
  return {
    ratios,
    nsPerCall,
    medianWallUs: medians(ofEdf, wallUs),
    straceFactor,
    checks: checksOf(ratios, straceFactor),
  };
}

function checksOf(ratios: PerLevel<Pooled>, straceFactor: number): readonly Check[] {
  return [
    controlCheck(ratios),
    ratioCheck('enforce', ratios.enforce, ratios.none, BARS.enforce),
    ratioCheck('syscalls', ratios.syscalls, ratios.none, BARS.syscalls),
    {
      what: `recorder: ${straceFactor.toFixed(0)} times cheaper per call than strace, to reach ${BARS.straceFactor}`,
      verdict: factorVerdict(straceFactor, BARS.straceFactor),
    },
  ];
}
