/** What is run for an application: which cases are learned from, which are enforced, and how often. */
import { type CorpusApplication, type CorpusCase } from './corpus.js';
import { type ProfileLevel } from './counts.js';
import { inLearningOrder, LEARNED_CASES, type LearnFrom } from './learn-from.js';
import { MODE_NAMES } from './modes.js';

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
}

export function planOf(
  application: CorpusApplication,
  options: { learnFrom: LearnFrom; levels: readonly ProfileLevel[]; cases: number | undefined },
): Plan {
  const ordered = inLearningOrder(application.learn, options.learnFrom);
  return {
    application,
    learned: ordered.slice(0, LEARNED_CASES),
    further: ordered.slice(LEARNED_CASES),
    heldOut: application.heldOut.slice(0, options.cases),
    levels: options.levels,
  };
}

/** Runs that teach nothing, and those that confirm a difference, come on top. */
export function jobsOf(plan: Plan): number {
  const { learned, further, heldOut, levels } = plan;
  const unrestricted = UNRESTRICTED_RUNS * (heldOut.length + (isRepeated(plan) ? learned.length : 0));
  const ofMode = learned.length + heldOut.length;
  const ofLevel = MODE_NAMES.length * ofMode + learned.length + further.length;
  const repeated = isRepeated(plan) ? MODE_NAMES.length * REPETITIONS.runs * learned.length : 0;
  return unrestricted + levels.length * ofLevel + repeated;
}

/** Whether its learned cases are run again and again under the profile. */
export function isRepeated({ application, levels }: Plan): boolean {
  return REPETITIONS.applications.some((name) => name === application.name) && levels.includes(REPETITIONS.level);
}
