/** An output's way out of the node: found, limited, hashed and staged; then put in place, or discarded. */
import { isUrlAllowed, JobError, type OutputReference, parseDataUrl } from '#lib/jobs';
import { failureDetail } from '../failure.js';
import { FileTarget } from '../file/file-output.js';
import { HttpTarget } from '../http/http-output.js';
import { openOutput, type OutputSource } from './open-output.js';
import { type OutputLimit } from './output-limit.js';
import { notAllowed, type OutputPlace, type OutputTarget, type StagedOutput } from './output-target.js';
import { DEFAULT_HTTP_TIMEOUTS } from '../rules.js';

export interface StageOptions {
  readonly place: OutputPlace;
  /** A name that nobody can guess; see `temporaryName`. */
  readonly temporary: string;
  readonly limit: OutputLimit;
  readonly signal: AbortSignal;
}

/** `token`: of one attempt, unguessable. `index`: of the output in the job. */
export function temporaryName(token: string, index: number): string {
  return `.porin-${token}-${index}.part`;
}

/** Nothing is visible yet. Throws JobError (output-*), or the signal's reason when it is aborted. */
export async function stageOutput(
  output: OutputReference,
  source: OutputSource,
  { place, temporary, limit, signal }: StageOptions,
): Promise<StagedOutput> {
  return inWords(output, place, signal, async () => {
    const target = targetOf(output, place);
    const opened = await openOutput(source, output.path, limit);
    try {
      // Where the disk below the payload's was full, what it wrote is in memory at best: only this tells.
      await opened.file.sync();
      const stored = await target.stage(opened, temporary, limit, signal);
      return { url: output.url, path: output.path, temporary, ...stored };
    } finally {
      await opened.file.close();
    }
  });
}

/**
 * Puts it in place, or finds that it is. Throws JobError: staged-output-lost and output-refused are for good,
 * output-upload-failed may be repeated, by this worker or by another. Throws the signal's reason when it is aborted.
 */
export function publishStaged(staged: StagedOutput, place: OutputPlace, signal: AbortSignal): Promise<void> {
  return inWords(staged, place, signal, () => targetOf(staged, place).publish(staged, signal));
}

/** Throws JobError. Without effect where nothing is staged. */
export function discardStaged(output: OutputReference, temporary: string, place: OutputPlace): Promise<void> {
  const { signal } = new AbortController();
  return inWords(output, place, signal, () => targetOf(output, place).discard(temporary));
}

function targetOf(output: OutputReference, place: OutputPlace): OutputTarget {
  const { url, problem } = parseDataUrl(output.url);
  if (problem !== null) throw JobError.of('output-url-malformed', { path: output.path, detail: problem });
  const { outputPrefixes: prefixes, foreignPrefixes: foreign } = place.rules;
  if (!isUrlAllowed(output.url, { prefixes, foreign })) throw notAllowed(output, place.rules);
  return url.scheme === 'file' ? new FileTarget(output, url.path, place) : new HttpTarget(output, url.url, place);
}

async function inWords<T>(
  { url, path }: OutputReference,
  { rules }: OutputPlace,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof JobError) throw error;
    const detail = failureDetail(error, rules.httpTimeouts ?? DEFAULT_HTTP_TIMEOUTS);
    throw JobError.of('output-upload-failed', { url, path, detail }, { cause: error });
  }
}
