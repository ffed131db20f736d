/** What is run for an application: which cases are learned from, which are enforced, and how often. */
import { type CorpusApplication, type CorpusCase } from './corpus.js';
import { type ProfileLevel } from '../report/counts.js';
import { inLearningOrder, LEARNED_CASES, type LearnFrom } from './learn-from.js';
import { type ModeName } from '../learn/modes.js';

/** Outputs on which these do not agree are not compared. */
export const UNRESTRICTED_RUNS = 2;
export const REPETITIONS = { runs: 10, level: 'arguments', applications: ['samtools', 'pandas', 'picard'] } as const;

export interface Plan {
  readonly application: CorpusApplication;
  readonly learned: readonly CorpusCase[];
  /** Learned from after these, one by one. */
  readonly further: readonly CorpusCase[];
  readonly heldOut: readonly CorpusCase[];
  readonly levels: readonly ProfileLevel[];
  readonly mode: ModeName;
}

export function planOf(
  application: CorpusApplication,
  options: { learnFrom: LearnFrom; levels: readonly ProfileLevel[]; cases: number | undefined; mode: ModeName },
): Plan {
  const ordered = inLearningOrder(application.learn, options.learnFrom);
  return {
    application,
    learned: ordered.slice(0, LEARNED_CASES),
    further: ordered.slice(LEARNED_CASES),
    heldOut: application.heldOut.slice(0, options.cases),
    levels: options.levels,
    mode: options.mode,
  };
}

/** Quiet runs that Porin asks for before it enforces what is audited. */
const QUIET_RUNS = 5;

/** Runs that teach nothing, those of an audit that is not quiet, and those that confirm a difference, come on top. */
export function jobsOf(plan: Plan): number {
  const { learned, further, heldOut, levels, mode } = plan;
  const unrestricted = UNRESTRICTED_RUNS * (heldOut.length + (isRepeated(plan) ? learned.length : 0));
  const enforced = learned.length + (mode === 'stages' ? QUIET_RUNS : 0) + heldOut.length;
  const ofLevel = enforced + learned.length + further.length;
  const repeated = isRepeated(plan) ? REPETITIONS.runs * learned.length : 0;
  return unrestricted + levels.length * ofLevel + repeated;
}

/** Whether its learned cases are run again and again under the profile. */
export function isRepeated({ application, levels }: Plan): boolean {
  return REPETITIONS.applications.some((name) => name === application.name) && levels.includes(REPETITIONS.level);
}
