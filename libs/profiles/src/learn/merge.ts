/** Merges the recordings of one build into the profile that a new version proposes. */
import { fileCoverage, learnFiles } from '../files/learn-files.js';
import { type Digest, digestOf } from '../model/canonical-json.js';
import { type Origins } from '../model/origins.js';
import { profileDigest } from '../model/parse-profile.js';
import { type Architecture, type Coverage, type Profile } from '../model/profile.js';
import { type Recording } from '../model/recording.js';
import { isEnough, type LearningOptions, type LearningRun } from './enough.js';
import { recordedNames } from './first-seen.js';
import { learnRules } from './learn-rules.js';

/** One executor run's recording. Equal recordings of two runs count twice: a deterministic program makes them. */
export interface RecordedRun {
  readonly digest: string;
  readonly inputsDigest: string;
  /** Null when the payload was killed by a signal or stopped. */
  readonly exitCode: number | null;
  readonly recording: Recording;
}

export interface MergeOptions extends LearningOptions {
  /** Exit codes after which a run may teach; 0 alone where absent. */
  readonly expectedExitCodes?: readonly number[];
  /** What runs were refused under `basedOn`, as if it had been made; see deniedRecording. Counts in no coverage. */
  readonly denied?: readonly Recording[];
}

export type MergeResult =
  | {
      readonly kind: 'insufficient';
      readonly have: number;
      readonly need: number;
      readonly distinctInputs: number;
      readonly distinctInputsNeeded: number;
      /** Runs left out because their recording has a hole, or because they ended otherwise than expected. */
      readonly partial: number;
      readonly failed: number;
    }
  | {
      readonly kind: 'profile';
      readonly profile: Profile;
      readonly digest: Digest;
      readonly coverage: Coverage;
      /** Why the profile has each of its calls. */
      readonly origins: Origins;
      /** Whether its conditions come from recorded arguments; see LearningOptions.basedOnTaught. */
      readonly isTaught: boolean;
      /** The runs that it was merged from. */
      readonly merged: readonly RecordedRun[];
    };

/**
 * @throws RangeError when the runs are not all of one architecture, and so not of one build
 * @throws FileRulesError TOO_MANY_FILE_RULES
 */
export function mergeRecordings(runs: readonly RecordedRun[], options: MergeOptions): MergeResult {
  const merged = runs.filter((run) => mayTeach(run, options));
  const distinctInputs = new Set(merged.map(({ inputsDigest }) => inputsDigest)).size;
  const denied = (options.denied ?? []).map((recording) => ({ inputsDigest: '', recording }));
  const taught: readonly LearningRun[] = [...merged, ...denied];
  const first = taught[0];
  if (!first || !isEnough(taught, options)) {
    const partial = runs.filter(({ recording }) => isPartial(recording)).length;
    return {
      kind: 'insufficient',
      have: merged.length,
      need: options.needed,
      distinctInputs,
      distinctInputsNeeded: options.distinctInputs,
      partial,
      failed: runs.length - merged.length - partial,
    };
  }
  const { architecture } = first.recording;
  requireOneArchitecture(taught, architecture, options);
  const { rules, origins, isTaught } = learnRules(taught, architecture, options);
  const profile: Profile = { version: 1, architecture, rules, network: 'none', ...learnFiles(taught, options) };
  const coverage = { ...coverageOf(merged, Object.keys(origins)), ...fileCoverage(merged, profile.files ?? []) };
  return { kind: 'profile', profile, digest: profileDigest(profile), coverage, origins, isTaught, merged };
}

export function recordingDigest(recording: Recording): Digest {
  return digestOf({
    version: recording.version,
    architecture: recording.architecture,
    calls: recording.calls,
    ...(recording.refused && { refused: recording.refused }),
    certificate: { ...recording.certificate },
    partialReasons: recording.partialReasons,
    ...(recording.arguments && { arguments: recording.arguments.map((use) => ({ ...use })) }),
    ...(recording.peakTasks !== undefined && { peakTasks: recording.peakTasks }),
    ...(recording.files && { files: recording.files.map((use) => ({ ...use })) }),
    ...(recording.sockets && { sockets: recording.sockets.map((use) => ({ ...use })) }),
  });
}

function mayTeach({ exitCode, recording }: RecordedRun, { expectedExitCodes = [0] }: MergeOptions): boolean {
  return exitCode !== null && expectedExitCodes.includes(exitCode) && !isPartial(recording);
}

function isPartial(recording: Recording): boolean {
  return recording.partialReasons.length > 0;
}

function requireOneArchitecture(
  runs: readonly LearningRun[],
  architecture: Architecture,
  { basedOn }: MergeOptions,
): void {
  for (const other of [...runs.map(({ recording }) => recording), ...(basedOn ? [basedOn] : [])]) {
    if (other.architecture !== architecture) {
      throw new RangeError(`recordings and profiles of ${architecture} and ${other.architecture} cannot be merged`);
    }
  }
}

/** For every call of the profile; what only the table or the earlier version brought in was seen in 0 of them. */
function coverageOf(runs: readonly RecordedRun[], names: readonly string[]): Coverage {
  const seenIn = new Map<string, number>();
  for (const { recording } of runs) {
    for (const name of recordedNames(recording)) {
      seenIn.set(name, (seenIn.get(name) ?? 0) + 1);
    }
  }
  return Object.fromEntries(names.map((name) => [name, { seenIn: seenIn.get(name) ?? 0, of: runs.length }]));
}
