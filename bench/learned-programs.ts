/** Learns the profile of every program of the monitoring bench, as deeply as this node can. */
import { allowedNames, type Profile } from '#lib/profiles';
import { type BenchRuns, type Policies } from './bench-runs.js';
import { learnProfile, policiesOf, withoutCalls } from './learned-policies.js';
import { type LevelName } from './levels.js';
import { type MeasuredProgram } from './measurement.js';
import { type LearnableProgram } from './monitoring-programs.js';

/** Each teaches what the one after it does. */
const DEPTHS = ['files', 'arguments', 'syscalls'] as const satisfies LevelName[];

export interface LearnedProgram extends MeasuredProgram {
  readonly policies: Policies;
  /** Why the profile is not as deep as it could be. */
  readonly problem?: string;
}

/** @throws Error when a program teaches nothing at all */
export async function learnAll(
  runs: BenchRuns,
  programs: readonly LearnableProgram[],
  log: (message: string) => void,
): Promise<readonly LearnedProgram[]> {
  const learned: LearnedProgram[] = [];
  for (const learnable of programs) {
    const { program, refused } = learnable;
    const { profile, problem } = await learnDeepest(runs, learnable);
    log(
      [
        `profile of ${program.name} learned: ${allowedNames(profile).length} calls in ${profile.rules.length} rules`,
        profile.files ? `, ${profile.files.length} trees of files` : '',
        problem === undefined ? '' : ` (no more, because ${problem})`,
      ].join(''),
    );
    learned.push({
      program,
      policies: policiesOf(refused ? withoutCalls(profile, refused) : profile),
      ...(refused && { refused }),
      ...(problem !== undefined && { problem }),
    });
  }
  return learned;
}

async function learnDeepest(
  runs: BenchRuns,
  { learnedFrom }: LearnableProgram,
): Promise<{ readonly profile: Profile; readonly problem?: string }> {
  let problem: string | undefined;
  for (const depth of DEPTHS) {
    try {
      const profile = await learnProfile(runs, learnedFrom, depth);
      return { profile, ...(problem !== undefined && { problem }) };
    } catch (error) {
      if (depth === DEPTHS.at(-1)) throw error;
      problem ??= error instanceof Error ? error.message : String(error);
    }
  }
  throw new Error('there is nothing to learn');
}
