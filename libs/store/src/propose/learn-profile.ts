/** Merges recordings into a profile that can be enforced, or says why there is none. */
import { FileRulesError, type MergeOptions, mergeRecordings, type MergeResult, type RecordedRun } from '#lib/profiles';
import { uncompilable } from './compile-problem.js';

/** Of the recordings' JSON texts together: they are in memory at once. */
export const LEARNED_BYTES = 64 * 1024 ** 2;

export type Learned = Extract<MergeResult, { kind: 'profile' }>;

/** In words, why what was seen is too much for a profile. */
export function learnProfile(runs: readonly RecordedRun[], options: MergeOptions): Learned | string {
  try {
    const result = mergeRecordings(runs, options);
    if (result.kind === 'profile') return uncompilable(result.profile) ?? result;
    return `its recordings are too large: ${result.have} of them have ${LEARNED_BYTES} bytes, which is all that is looked at`;
  } catch (error) {
    if (error instanceof FileRulesError) return error.message;
    throw error;
  }
}
