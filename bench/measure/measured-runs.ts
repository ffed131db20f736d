/** What a bench measured, run by run, and what it says about a level. */
import { median } from '#lib/overhead';
import { LEVEL_NAMES, type LevelName, levelOf, type Slot } from '../runs/levels.js';
import { type BaselinedRun } from '../report/pooled.js';

export interface MeasuredRun {
  readonly program: string;
  readonly block: number;
  readonly slot: Slot;
  /** Of the payload alone. */
  readonly wallUs: number;
  /** Call -> nanoseconds, from a program that measures calls. */
  readonly nsPerCall?: Readonly<Record<string, number>>;
}

export type PerLevel<T> = Readonly<Partial<Record<LevelName, T>>>;
/** What of a run is looked at; undefined where it was not measured. */
export type Figure = (run: MeasuredRun) => number | undefined;

export const wallUs: Figure = (run) => run.wallUs;
export const nsOf =
  (call: string): Figure =>
  ({ nsPerCall }) =>
    nsPerCall?.[call];

export function ofProgram(runs: readonly MeasuredRun[], program: string): readonly MeasuredRun[] {
  return runs.filter((run) => run.program === program);
}

/** The level's run of each block against both `none`; for `none` the second of each block against the first. */
export function baselined(runs: readonly MeasuredRun[], level: LevelName, figure: Figure): readonly BaselinedRun[] {
  const blocks = new Map<number, Partial<Record<Slot, number>>>();
  for (const run of runs) blocks.set(run.block, { ...blocks.get(run.block), [run.slot]: figure(run) });
  return [...blocks.values()].flatMap(({ none, control, ...levels }) => {
    if (none === undefined || control === undefined) return [];
    if (level === 'none') return [{ measured: control, baselines: [none] }];
    const measured = levels[level];
    return measured === undefined ? [] : [{ measured, baselines: [none, control] }];
  });
}

/** Only of the levels that were measured. */
export function perLevel<T>(levels: readonly LevelName[], value: (level: LevelName) => T | undefined): PerLevel<T> {
  return Object.fromEntries(
    levels.flatMap((level) => {
      const found = value(level);
      return found === undefined ? [] : [[level, found]];
    }),
  );
}

/** The values of every run, both `none` under one name. */
export function valuesAt(runs: readonly MeasuredRun[], level: LevelName, figure: Figure): readonly number[] {
  return runs.flatMap((run) => {
    const value = levelOf(run.slot) === level ? figure(run) : undefined;
    return value === undefined ? [] : [value];
  });
}

export function medians(runs: readonly MeasuredRun[], figure: Figure): PerLevel<number> {
  return perLevel(LEVEL_NAMES, (level) => {
    const values = valuesAt(runs, level, figure);
    return values.length === 0 ? undefined : median(values);
  });
}
