/** Finds out which levels this machine has, before time goes into measuring any. */
import { type BenchRuns } from '../runs/bench-runs.js';
import { type LearnedProgram } from './learned-programs.js';
import { type LevelName } from '../runs/levels.js';
import { type Unavailable } from './monitoring-table.js';
import { CALLS_PROGRAM } from '../programs/program-names.js';

/** @throws Error when not even `none` can be run */
export async function probeLevels(
  runs: BenchRuns,
  programs: readonly LearnedProgram[],
  levels: readonly LevelName[],
  stop: AbortSignal,
): Promise<Unavailable> {
  const calls = programs.find(({ program }) => program.name === CALLS_PROGRAM);
  if (!calls) throw new Error(`there is no program ${CALLS_PROGRAM}`);
  const unavailable: Partial<Record<LevelName, string>> = {};
  for (const level of levels) {
    try {
      if (!calls.policies[level]) throw new Error(calls.problem ?? 'nothing was learned for it');
      await runs.run(calls.program, level, calls.policies);
    } catch (error) {
      if (stop.aborted || level === 'none') throw error;
      unavailable[level] = error instanceof Error ? error.message : String(error);
    }
  }
  return unavailable;
}
