/** The verdict of chaos as a table for people, as JSON for programs, and as an exit code. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PORIN_DIR } from '../setup/paths.js';
import { type PlannedFault } from './fault-plan.js';
import { ENOUGH_FAULTS, ENOUGH_JOBS } from './options.js';
import { type Finding, type JobFound, type Verdict } from './verdict.js';

const SHOWN = 12;
const EXIT_FOUND = 1;
const EXIT_PROVES_NOTHING = 3;

export interface ChaosRun {
  readonly seed: number;
  readonly jobs: number;
  readonly struck: readonly PlannedFault[];
  readonly found: readonly JobFound[];
  readonly verdict: Verdict;
  /** What somebody had to do, or would have to. */
  readonly hands: readonly string[];
  readonly seconds: number;
}

export interface ChaosResult {
  readonly jobs: number;
  readonly faults: number;
  readonly lost: number;
  readonly publishedTwice: number;
  readonly stuck: number;
  readonly systemErrors: number;
  readonly needHand: number;
}

export function chaosResult({ jobs, struck, verdict, hands }: ChaosRun): ChaosResult {
  return {
    jobs,
    faults: struck.length,
    lost: verdict.lost.length,
    publishedTwice: verdict.publishedTwice.length,
    stuck: verdict.stuck.length,
    systemErrors: verdict.systemErrors.length,
    needHand: hands.length,
  };
}

export function chaosExitCode({ jobs, faults, ...bad }: ChaosResult): number {
  if (Object.values(bad).some((count) => count > 0)) return EXIT_FOUND;
  return jobs < ENOUGH_JOBS || faults < ENOUGH_FAULTS ? EXIT_PROVES_NOTHING : 0;
}

export function renderChaos(run: ChaosRun): string {
  const { verdict, hands, struck, found, seed, seconds } = run;
  const result = chaosResult(run);
  const lines = [
    ...['jobs', 'faults'].map((name) => [name, result[name as keyof ChaosResult], '']),
    ['lost', result.lost, 'accepted and gone, or COMPLETE without its run or its output'],
    [
      'published twice',
      result.publishedTwice,
      'put in place more than once, or by another attempt than the complete one',
    ],
    ['stuck', result.stuck, 'not ended when all faults had'],
    ['SYSTEM_ERROR', result.systemErrors, 'failed though another node could have run it'],
    ['need a hand', result.needHand, 'what supervisors alone did not mend'],
  ] as const;
  const ends = countBy(found.map(({ state }) => state));
  const faults = countBy(struck.map(({ kind }) => kind));
  return [
    `${lines.map(([name, count, what]) => `${String(name).padEnd(16)}${String(count).padStart(6)}  ${what}`.trimEnd()).join('\n')}`,
    `ended as: ${inWords(ends)}; in ${Math.round(seconds)} s; seed ${seed}`,
    `faults: ${inWords(faults)}`,
    ...findingsInWords({ ...verdict, 'needs a hand': hands.map((what) => ({ key: 'the grid', what })) }),
  ].join('\n\n');
}

/** Returns the path. */
export function writeChaos(result: ChaosResult): string {
  mkdirSync(PORIN_DIR, { recursive: true });
  const path = join(PORIN_DIR, 'chaos.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(result, null, 2)}\n`);
  renameSync(`${path}.new`, path);
  return path;
}

function findingsInWords(all: Readonly<Record<string, readonly Finding[]>>): readonly string[] {
  return Object.entries(all)
    .filter(([, findings]) => findings.length > 0)
    .map(([name, findings]) => {
      const shown = findings.slice(0, SHOWN).map(({ key, what }) => `  ${key}: ${what}`);
      const more = findings.length > SHOWN ? [`  and ${findings.length - SHOWN} more`] : [];
      return [`${name}:`, ...shown, ...more].join('\n');
    });
}

function countBy(values: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function inWords(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => `${count} ${name}`).join(', ') || 'none';
}
