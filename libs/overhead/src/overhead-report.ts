/** The overhead of each level, out of whatever runs there are: compared only where build, inputs and node are equal. */
import { isPlausibleUsage, type Usage } from './plausible-usage.js';
import { median } from './statistics.js';

/** One executor run that ended with exit code 0; its wall time is of the payload alone. */
export interface MeasuredRun extends Usage {
  readonly level: ReportLevel;
  /** Ids or digests; compared for equality only. */
  readonly build: string;
  readonly inputsDigest: string;
  readonly node: string;
  /** Of the node's machine. */
  readonly cores: number;
}

/** The words of the profiles library; this one does not depend on which words there are. */
export interface ReportLevel {
  readonly enforcement: string;
  readonly monitoring: string;
}

export interface LevelOverhead {
  readonly level: ReportLevel;
  readonly n: number;
  readonly medianWallUs: number;
  /** Median over groups of (median wall at this level / median wall at (none, none)); null when no group has both. */
  readonly ratio: number | null;
  /** Groups of equal build, inputs and node that have runs at both levels. */
  readonly groups: number;
  /** Runs of this level in those groups. */
  readonly comparedRuns: number;
  /** Why there is no ratio, in words; null when there is one. */
  readonly reason: string | null;
}

/**
 * One entry per level that has runs, (none, none) first. Runs are left out whose wall time cannot be true.
 * Medians within a group come first, so that a group with many runs does not outweigh the others.
 */
export function overheadReport(runs: readonly MeasuredRun[]): readonly LevelOverhead[] {
  const usable = runs.filter((run) => isPlausibleUsage(run, run.cores));
  const baselines = mapValues(groupBy(usable.filter(isBaseline), groupKey), medianWallUs);
  const levels = [...groupBy(usable, ({ level }) => `${level.enforcement} ${level.monitoring}`).values()];
  return levels
    .map((ofLevel) => levelOverhead(ofLevel, baselines))
    .sort((a, b) => Number(isBaseline(b)) - Number(isBaseline(a)) || compare(a.level, b.level));
}

function levelOverhead(
  runs: readonly [MeasuredRun, ...MeasuredRun[]],
  baselines: ReadonlyMap<string, number>,
): LevelOverhead {
  const compared = [...groupBy(runs, groupKey)].flatMap(([key, group]) => {
    const baseline = baselines.get(key);
    return baseline === undefined ? [] : [{ runs: group.length, ratio: medianWallUs(group) / baseline }];
  });
  return {
    level: runs[0].level,
    n: runs.length,
    medianWallUs: medianWallUs(runs),
    ratio: compared.length === 0 ? null : median(compared.map(({ ratio }) => ratio)),
    groups: compared.length,
    comparedRuns: compared.reduce((sum, group) => sum + group.runs, 0),
    reason: compared.length > 0 ? null : whyNoRatio(runs, baselines),
  };
}

function whyNoRatio(runs: readonly MeasuredRun[], baselines: ReadonlyMap<string, number>): string {
  if (baselines.size === 0) return 'there is no run at enforcement none and monitoring none to compare with';
  const keys = [...baselines.keys()].map((key) => JSON.parse(key) as [string, string, string]);
  const shares = (part: 0 | 1 | 2) => runs.some((run) => keys.some((key) => key[part] === groupParts(run)[part]));
  const missing = ['build', 'inputs', 'node'].filter((_word, part) => !shares(part as 0 | 1 | 2));
  return missing.length > 0
    ? `no run at enforcement none and monitoring none has the same ${missing.join(', ')}`
    : 'no run at enforcement none and monitoring none has the same build, inputs and node at once';
}

function groupParts({ build, inputsDigest, node }: MeasuredRun): readonly [string, string, string] {
  return [build, inputsDigest, node];
}

function groupKey(run: MeasuredRun): string {
  return JSON.stringify(groupParts(run));
}

function isBaseline({ level }: { readonly level: ReportLevel }): boolean {
  return level.enforcement === 'none' && level.monitoring === 'none';
}

function medianWallUs(runs: readonly MeasuredRun[]): number {
  return median(runs.map(({ wallUs }) => wallUs));
}

function compare(a: ReportLevel, b: ReportLevel): number {
  return a.enforcement.localeCompare(b.enforcement, 'en') || a.monitoring.localeCompare(b.monitoring, 'en');
}

function groupBy<T>(values: readonly T[], key: (value: T) => string): Map<string, [T, ...T[]]> {
  const groups = new Map<string, [T, ...T[]]>();
  for (const value of values) {
    const group = groups.get(key(value));
    if (group) group.push(value);
    else groups.set(key(value), [value]);
  }
  return groups;
}

function mapValues<T, U>(map: ReadonlyMap<string, T>, change: (value: T) => U): Map<string, U> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}
