/** Learns the profile of every program of the monitoring bench. */
import { allowedNames } from '#lib/profiles';
import { type BenchRuns, placesOf } from '../runs/bench-runs.js';
import { type DeepestProfile, learnDeepest } from '../runs/learning.js';
import { type MeasuredProgram } from '../measure/measurement.js';
import { type LearnableProgram } from './monitoring-programs.js';
import { policiesOf, withoutCalls } from '../runs/policies.js';

export interface LearnedProgram extends MeasuredProgram {
  /** Why its profile is not as deep as it could be. */
  readonly problem?: string;
}

/** @throws Error when a program teaches nothing at all */
export async function learnAll(
  runs: BenchRuns,
  programs: readonly LearnableProgram[],
  log: (message: string) => void,
): Promise<readonly LearnedProgram[]> {
  const learned: LearnedProgram[] = [];
  for (const { program, learnedFrom, refused } of programs) {
    const deepest = await learnDeepest(runs, learnedFrom);
    log(`profile of ${program.name} learned: ${describe(deepest)}`);
    const { profile, problem } = deepest;
    const held = { ...deepest, profile: refused ? withoutCalls(profile, refused) : profile };
    learned.push({
      program,
      policies: policiesOf(held, placesOf(program)),
      ...(refused && { refused }),
      ...(problem !== undefined && { problem }),
    });
  }
  return learned;
}

function describe({ profile, problem }: DeepestProfile): string {
  const conditions = profile.rules.filter(({ args }) => args !== undefined).length;
  return [
    `${allowedNames(profile).length} calls, ${conditions} rules on arguments, ${profile.files?.length ?? 0} on files`,
    ...(problem === undefined ? [] : [` (no more, because: ${problem})`]),
  ].join('');
}
