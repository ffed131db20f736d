/** Learns a program's profile as Porin does: by recordings of it, and of nothing else. */
import { mergeRecordings, type RecordedRun, recordingDigest, toVariables } from '#lib/profiles';
import { type BenchProgram, type BenchRuns, placesOf } from './bench-runs.js';
import { type ProfileDepth } from './levels.js';
import { CEILING_POLICIES, type LearnedProfile } from './policies.js';

/** What a profile of each depth is learned at; the deepest first. */
const MONITORINGS = [
  ['files', 'files'],
  ['arguments', 'arguments'],
  ['names', 'syscalls'],
] as const;

export interface DeepestProfile extends LearnedProfile {
  /** Why it says no more. */
  readonly problem?: string;
}

/**
 * One recording of each of `programs`, which are one program with different inputs.
 * @throws Error when not all recordings are complete
 */
export async function learnProfile(
  runs: BenchRuns,
  programs: readonly BenchProgram[],
  depth: ProfileDepth,
): Promise<LearnedProfile> {
  const [, monitoring = 'syscalls'] = MONITORINGS.find(([of]) => of === depth) ?? [];
  const recorded: RecordedRun[] = [];
  for (const program of programs) {
    const { report } = await runs.run(program, monitoring, CEILING_POLICIES);
    if (!report.recording) throw new Error(`${program.name}: the run has no recording`);
    const recording = toVariables(report.recording, placesOf(program));
    const inputsDigest = JSON.stringify(program.inputs);
    recorded.push({ digest: recordingDigest(recording), inputsDigest, exitCode: 0, recording });
  }
  const merged = mergeRecordings(recorded, { needed: programs.length, distinctInputs: 1 });
  if (merged.kind === 'profile') return { profile: merged.profile, depth };
  const reasons = recorded.flatMap(({ recording }) => recording.partialReasons).join(', ');
  throw new Error(`only ${merged.have} of ${merged.need} recordings are complete (${reasons})`);
}

/** As deep as this node can. @throws Error when the programs teach nothing at all */
export async function learnDeepest(runs: BenchRuns, programs: readonly BenchProgram[]): Promise<DeepestProfile> {
  let problem: string | undefined;
  for (const [depth] of MONITORINGS.slice(0, -1)) {
    try {
      return { ...(await learnProfile(runs, programs, depth)), ...(problem !== undefined && { problem }) };
    } catch (error) {
      runs.throwIfStopped();
      problem ??= error instanceof Error ? error.message : String(error);
    }
  }
  return { ...(await learnProfile(runs, programs, 'names')), ...(problem !== undefined && { problem }) };
}
