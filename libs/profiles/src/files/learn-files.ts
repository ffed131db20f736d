/** What recordings teach about files and processes: the part of a proposed profile that is not system calls. */
import { isEnough, isEnoughAtFirst, type LearningOptions, type LearningRun } from '../learn/enough.js';
import { type FileRule } from '../model/files.js';
import { type Coverage, type Profile } from '../model/profile.js';
import { type Recording } from '../model/recording.js';
import { generaliseFiles } from './generalise.js';
import { needsOf } from './needs.js';
import { PIDS_MAXIMUM } from './parse-files.js';
import { isAtOrBelow } from './paths.js';
import { isGiven } from './rights.js';

type LearnedMembers = Pick<Profile, 'files' | 'landlockMinimum' | 'pids'>;

/** The least that a profile learned is allowed, so that a program of one process is not held to exactly that. */
const PIDS_LEAST = 16;
const FILE_KEY = 'file:';

/**
 * `runs`: those that may teach. Files are learned when the recordings that hold files are enough by themselves, processes
 * when the recordings that counted them are; otherwise the profile keeps what its base has. The base is only ever widened,
 * but a version without file rules, or without a limit, may be followed by one that has them.
 * @throws FileRulesError TOO_MANY_FILE_RULES
 */
export function learnFiles(runs: readonly LearningRun[], options: LearningOptions): LearnedMembers {
  const { files: before, landlockMinimum, pids: pidsBefore } = options.basedOn ?? {};
  const withFiles = runs.filter(({ recording }) => recording.files !== undefined);
  const withPeak = runs.filter(({ recording }) => (recording.peakTasks ?? 0) > 0);
  const areFilesEnough = before ? isEnough(withFiles, options) : isEnoughAtFirst(withFiles, options);
  const files = areFilesEnough ? generaliseFiles(withFiles.map(recordingOf), before) : before;
  const arePeaksEnough = pidsBefore === undefined ? isEnoughAtFirst(withPeak, options) : isEnough(withPeak, options);
  const pids = arePeaksEnough
    ? Math.max(pidsBefore ?? 0, proposedPids(Math.max(...withPeak.map(({ recording }) => recording.peakTasks ?? 0))))
    : pidsBefore;
  return {
    ...(files && { files }),
    ...(files && landlockMinimum && { landlockMinimum }),
    ...(pids !== undefined && { pids }),
  };
}

/** Twice what was seen, rounded up to a power of two: a larger input may bring more threads, a fork bomb brings thousands. */
export function proposedPids(peakTasks: number): number {
  return Math.min(Math.max(PIDS_LEAST, 2 ** Math.ceil(Math.log2(2 * peakTasks))), PIDS_MAXIMUM);
}

/** For each rule, in how many of the recordings that hold files something was used by it. */
export function fileCoverage(runs: readonly LearningRun[], rules: readonly FileRule[]): Coverage {
  const recordings = runs.map(recordingOf).filter(({ files }) => files !== undefined);
  const needs = recordings.map((recording) => needsOf([recording]));
  return Object.fromEntries(
    rules.map(({ path, rights }) => {
      const uses = needs.filter((seen) =>
        seen.some((need) => isGiven(rights, need.right) && isAtOrBelow(need.path, path)),
      );
      return [FILE_KEY + path, { seenIn: uses.length, of: recordings.length }];
    }),
  );
}

/** The member of a coverage that is about a rule's path; all others are about system calls. */
export function fileCoverageKey(path: string): string {
  return FILE_KEY + path;
}

export function isFileCoverageKey(key: string): boolean {
  return key.startsWith(FILE_KEY);
}

function recordingOf({ recording }: LearningRun): Recording {
  return recording;
}
