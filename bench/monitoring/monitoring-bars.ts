/** What the monitoring bench has to show, and the verdict on each. */
import { aaHalfWidth, AA_HALF_WIDTH_MAXIMUM } from '#lib/overhead';
import { addedFactor, type Check, controlCheck, factorVerdict, ratioCheck } from '../report/checks.js';
import { type LevelName } from '../runs/levels.js';
import { type PerLevel } from '../measure/measured-runs.js';
import { type Pooled } from '../report/pooled.js';
import { EDF_PROGRAM, PROGRAM_NAMES, type ProgramName } from '../programs/program-names.js';

/** Upper ends of intervals, but for the two factors. */
export const BARS = {
  edf: { 'enforce-files': 1.02, arguments: 1.05, files: 1.05 },
  /** Of the four programs the one on which `files` costs most, and what strace must need more than there. */
  worst: { files: 1.5, strace: 5 },
  /** Nanoseconds that a level adds to a call that does next to nothing. */
  addedNs: { syscalls: 200, arguments: 450 },
  /** How many times cheaper than strace, per call. */
  traceFactor: 10,
  /** Nanoseconds of a call that is refused. */
  refusedNs: 8000,
} as const;

export const SMALL_CALLS = ['getppid', 'fcntl(F_GETFL)'] as const;
/** Calls that are nothing but calls: a pipe and a clone spend their time in the scheduler. */
const PLAIN_CALLS = [...SMALL_CALLS, 'open+read+close', 'stat'] as const;

/** Of an experiment whose control is off by more than this share of what a bar allows, nothing can be said. */
const RESOLUTION = 0.1;

export interface MonitoringFigures {
  readonly ratios: Readonly<Partial<Record<ProgramName, PerLevel<Pooled>>>>;
  /** Call -> level -> what the level adds to `none`, nanoseconds; `none` is the control. */
  readonly addedNs: Readonly<Record<string, PerLevel<Pooled>>>;
  /** Call -> level -> median nanoseconds. */
  readonly nsPerCall: Readonly<Record<string, PerLevel<number>>>;
  /** Call -> nanoseconds of one that is refused. */
  readonly refusedNs: Readonly<Record<string, Pooled>>;
}

export function monitoringChecks(figures: MonitoringFigures): readonly Check[] {
  const edf = figures.ratios[EDF_PROGRAM] ?? {};
  return [
    controlCheck(edf, AA_HALF_WIDTH_MAXIMUM, EDF_PROGRAM),
    ...entries(BARS.edf).map(([level, bar]) => ratioCheck(`${level} on ${EDF_PROGRAM}`, edf[level], edf.none, bar)),
    ...worstChecks(figures.ratios),
    ...entries(BARS.addedNs).flatMap(([level, bar]) =>
      SMALL_CALLS.map((call) => addedCheck(level, call, figures.addedNs[call] ?? {}, bar)),
    ),
    traceCheck(figures.nsPerCall),
    ...Object.entries(figures.refusedNs).map(([call, ns]) => refusedCheck(call, ns)),
    ...(Object.keys(figures.refusedNs).length === 0
      ? [{ what: `a refused call: -, to reach ${BARS.refusedNs}`, verdict: 'not-measured' } as const]
      : []),
  ];
}

/** The program on which `files` costs most; undefined unless all were measured: a worst of some is not the worst. */
export function worstProgram(ratios: MonitoringFigures['ratios']): ProgramName | undefined {
  const highs = PROGRAM_NAMES.map((program) => ratios[program]?.files?.high ?? NaN);
  return highs.some(Number.isNaN) ? undefined : PROGRAM_NAMES[highs.indexOf(Math.max(...highs))];
}

function worstChecks(ratios: MonitoringFigures['ratios']): readonly Check[] {
  const worst = worstProgram(ratios);
  const { files, strace, none } = (worst && ratios[worst]) ?? {};
  const where = worst ?? 'the worst program';
  const maximum = RESOLUTION * (BARS.worst.files - 1);
  return [
    controlCheck({ ...(none && { none }) }, maximum, where),
    ratioCheck(`files on ${where}, of all programs the worst`, files, none, BARS.worst.files, maximum),
    {
      what: `strace on ${where}: lower end ${strace?.low.toFixed(2) ?? '-'}, to be more than ${BARS.worst.strace}`,
      verdict: !strace ? 'not-measured' : strace.low > BARS.worst.strace ? 'within-bar' : 'over-bar',
    },
  ];
}

/** A level that seems to add nothing was measured under more noise than it adds. */
function addedCheck(level: LevelName, call: string, added: PerLevel<Pooled>, bar: number): Check {
  const { none: control, [level]: ns } = added;
  const what = `${level} adds to ${call}: upper end ${ns?.high.toFixed(0) ?? '-'} ns, to reach ${bar}`;
  if (!ns || !control) return { what, verdict: 'not-measured' };
  const quiet = aaHalfWidth(control) <= RESOLUTION * bar && Math.abs(control.median) <= RESOLUTION * bar;
  if (!quiet || ns.median <= 0) return { what, verdict: 'too-noisy' };
  return { what, verdict: ns.high <= bar ? 'within-bar' : 'over-bar' };
}

/** On the plain call on which the difference is smallest. */
function traceCheck(nsPerCall: MonitoringFigures['nsPerCall']): Check {
  const factors = PLAIN_CALLS.map((call) => {
    const { none, strace, 'trace-notify': notify } = nsPerCall[call] ?? {};
    return { call, factor: addedFactor(none, notify, strace) };
  });
  const least = factors.reduce((a, b) => (b.factor < a.factor || Number.isNaN(b.factor) ? b : a));
  return {
    what: `trace-notify: ${Number.isNaN(least.factor) ? '-' : least.factor.toFixed(1)} times cheaper per call than strace, to reach ${BARS.traceFactor} (least on ${least.call})`,
    verdict: factorVerdict(least.factor, BARS.traceFactor),
  };
}

function refusedCheck(call: string, ns: Pooled): Check {
  const what = `a refused ${call}: upper end ${ns.high.toFixed(0)} ns, to reach ${BARS.refusedNs}`;
  if (aaHalfWidth(ns) > RESOLUTION * BARS.refusedNs) return { what, verdict: 'too-noisy' };
  return { what, verdict: ns.high <= BARS.refusedNs ? 'within-bar' : 'over-bar' };
}

function entries<K extends string, V>(record: Readonly<Record<K, V>>): readonly [K, V][] {
  return Object.entries(record) as [K, V][];
}
