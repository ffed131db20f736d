/** One output on its way out, and the ways its target can refuse it. */
import { JobError, type OutputReference } from '#lib/jobs';
import { type StagingRules } from './rules.js';
import { describePrefixes } from './url-prefix.js';

export interface Publication {
  readonly output: OutputReference;
  readonly rules: StagingRules;
  readonly limitBytes: number;
  readonly signal: AbortSignal;
  /** Called right before the output becomes visible. What it throws, the publication throws. */
  readonly beforeCommit: () => Promise<void>;
}

export function notAllowed({ output, rules }: Publication): JobError {
  return JobError.of('output-not-allowed', { url: output.url, allowed: describePrefixes(rules.outputPrefixes) });
}

export function refused({ output }: Publication, detail: string, cause?: unknown): JobError {
  return JobError.of('output-refused', { url: output.url, path: output.path, detail }, { cause });
}

export function tooLarge({ output, limitBytes }: Publication): JobError {
  return JobError.of('output-too-large', { path: output.path, limitBytes });
}
