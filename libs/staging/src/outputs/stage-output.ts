/** An output's way out of the node: found, limited, hashed and staged; then put in place, or discarded. */
import { isUrlAllowed, JobError, outputSchemeProblem, type OutputReference, parseDataUrl } from '#lib/jobs';
import { failureDetail } from '../failure.js';
import { FileTarget } from '../file/file-output.js';
import { HttpTarget } from '../http/http-output.js';
import { openOutput, type OutputSource } from './open-output.js';
import { type OutputLimit } from './output-limit.js';
import {
  bytesLost,
  type JobFiles,
  notAllowed,
  type OutputPlace,
  type OutputTarget,
  type StagedOutput,
  type TargetOptions,
} from './output-target.js';
import { DEFAULT_HTTP_TIMEOUTS } from '../rules.js';
import { NoStagedName } from './staged-file.js';
import { S3Target } from '../s3/s3-output.js';

export interface StageOptions extends TargetOptions {
  readonly place: OutputPlace;
  /** A name that nobody can guess; see `temporaryName`. */
  readonly temporary: string;
  readonly limit: OutputLimit;
}

/** Nothing is visible yet. Throws JobError (output-*), or the signal's reason when it is aborted. */
export async function stageOutput(
  output: OutputReference,
  source: OutputSource,
  { place, temporary, limit, ...options }: StageOptions,
): Promise<StagedOutput> {
  return inWords(output, place, options.signal, async () => {
    const target = targetOf(output, place);
    const opened = await openOutput(source, output.path, limit);
    try {
      // Where the disk below the payload's was full, what it wrote is in memory at best: only this tells.
      await opened.file.sync();
      const stored = await target.stage(opened, temporary, limit, options);
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
export function publishStaged(staged: StagedOutput, place: OutputPlace, options: TargetOptions): Promise<void> {
  return inWords(staged, place, options.signal, () => targetOf(staged, place).publish(staged, options));
}

/** Of an output that an earlier attempt has put in place: no other may be put over it. Throws JobError. */
export function findPublished(output: OutputReference, place: OutputPlace, files: JobFiles): Promise<void> {
  const { signal } = new AbortController();
  return inWords(output, place, signal, () => targetOf(output, place).find(files));
}

/**
 * Throws JobError: output-upload-failed where something may be left, which may be tried again. Without effect where nothing is
 * staged. `upload`: of a manifest.
 */
export function discardStaged(
  output: OutputReference & Pick<StagedOutput, 'upload'>,
  temporary: string,
  place: OutputPlace,
): Promise<void> {
  const { signal } = new AbortController();
  return inWords(output, place, signal, () => targetOf(output, place).discard(temporary));
}

function targetOf(output: OutputReference & Pick<StagedOutput, 'upload'>, place: OutputPlace): OutputTarget {
  const { url, problem } = parseDataUrl(output.url);
  if (problem !== null) throw JobError.of('output-url-malformed', { path: output.path, detail: problem });
  const { outputPrefixes: prefixes, foreignPrefixes: foreign } = place.rules;
  if (!isUrlAllowed(output.url, { prefixes, foreign })) throw notAllowed(output, place.rules);
  switch (url.scheme) {
    case 'file':
      return new FileTarget(output, url.path, place);
    case 's3':
      return new S3Target(output, url, place);
    case 'drs':
      throw JobError.of('output-url-malformed', { path: output.path, detail: outputSchemeProblem(output.url) ?? '' });
    default:
      return new HttpTarget(output, url.url, place);
  }
}

async function inWords<T>(
  output: OutputReference,
  place: OutputPlace,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof JobError) throw error;
    if (error instanceof NoStagedName) throw bytesLost(output, place);
    const detail = failureDetail(error, place.rules.httpTimeouts ?? DEFAULT_HTTP_TIMEOUTS);
    throw JobError.of('output-upload-failed', { url: output.url, path: output.path, detail }, { cause: error });
  }
}
