/** An input's way into the node: fetched by its scheme, limited, hashed, checked, and stored read-only. */
import { rm } from 'node:fs/promises';
import { type InputReference, JobError } from '#lib/jobs';
import { DamagedFile } from '../cache/cached-file.js';
import { failureDetail } from '../failure.js';
import { INLINE_NAME } from './inline-input.js';
import { type InputSource } from './input-source.js';
import { writeInput } from './write-input.js';
import { openInput } from './open-input.js';
import { stageDirectory } from './stage-directory.js';
import { DEFAULT_HTTP_TIMEOUTS, type StagingRules } from '../rules.js';
import { type StoredFile } from '../stored-file.js';

/**
 * Creates `target`, a host path in a directory that exists: a file, or a directory. A file that is there already is an error and stays.
 * Throws JobError (input-*), or the signal's reason when it is aborted; `target` is gone then.
 */
export async function stageInput(
  input: InputReference,
  target: string,
  rules: StagingRules,
  signal: AbortSignal,
): Promise<StoredFile> {
  const details = { url: input.url ?? INLINE_NAME, path: input.path };
  try {
    signal.throwIfAborted();
    return await stageOnce(input, target, rules, signal).catch((error: unknown) => {
      if (!(error instanceof DamagedFile)) throw error;
      rules.cache?.startAgain();
      return stageOnce(input, target, { ...rules, cache: undefined }, signal);
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof JobError) throw error;
    const detail = failureDetail(error, rules.httpTimeouts ?? DEFAULT_HTTP_TIMEOUTS);
    throw JobError.of('input-fetch-failed', { ...details, detail }, { cause: error });
  }
}

/** Throws JobError (input-*), HttpFailure, DamagedFile, and errors of the network and of the file system. */
async function stageOnce(
  input: InputReference,
  target: string,
  rules: StagingRules,
  signal: AbortSignal,
): Promise<StoredFile> {
  if (input.type === 'DIRECTORY') return stageDirectory(input, target, rules, signal);
  const source = await openInput(input, rules, signal);
  try {
    const { url = INLINE_NAME, path, sha256 } = input;
    return await store(source, target, { url, path, sha256 }, rules, signal);
  } finally {
    await source.close();
  }
}

export interface Expected {
  readonly url: string;
  readonly path: string;
  readonly sha256: string | undefined;
}

async function store(
  source: InputSource,
  target: string,
  { sha256: expected, ...details }: Expected,
  rules: StagingRules,
  signal: AbortSignal,
): Promise<StoredFile> {
  const exceeded = () => JobError.of('input-too-large', { ...details, limitBytes: rules.inputLimitBytes });
  if (source.bytes !== null && source.bytes > rules.inputLimitBytes) throw exceeded();
  const limit = { bytes: rules.inputLimitBytes, exceeded };
  const stored = await writeInput(source, target, { cache: rules.cache, limit, signal });
  if (expected === undefined || stored.sha256 === expected) return stored;
  await rm(target, { force: true });
  throw JobError.of('input-checksum-mismatch', { ...details, actual: stored.sha256, expected });
}
