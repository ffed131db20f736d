/** An input's way into the node: fetched by its scheme, limited, hashed, checked, and stored read-only. */
import { rm } from 'node:fs/promises';
import { type InputReference, JobError } from '#lib/jobs';
import { writeHashed } from '../copy.js';
import { failureDetail } from '../failure.js';
import { INLINE_NAME } from './inline-input.js';
import { newInputFile, READ_ONLY } from './input-file.js';
import { type InputSource } from './input-source.js';
import { openInput } from './open-input.js';
import { stageDirectory } from './stage-directory.js';
import { DEFAULT_HTTP_TIMEOUTS, type StagingRules, type StoredFile } from '../rules.js';

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
    if (input.type === 'DIRECTORY') return await stageDirectory(input, target, rules, signal);
    const source = await openInput(input, rules, signal);
    try {
      return await store(source, target, { ...details, sha256: input.sha256 }, rules, signal);
    } finally {
      await source.close();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof JobError) throw error;
    const detail = failureDetail(error, rules.httpTimeouts ?? DEFAULT_HTTP_TIMEOUTS);
    throw JobError.of('input-fetch-failed', { ...details, detail }, { cause: error });
  }
}

/** Throws JobError (input-*), HttpFailure, and errors of the network. */
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
  const file = await newInputFile(target);
  try {
    const stored = await writeHashed(source.chunks, file, { bytes: rules.inputLimitBytes, exceeded }, signal);
    if (expected !== undefined && stored.sha256 !== expected) {
      throw JobError.of('input-checksum-mismatch', { ...details, actual: stored.sha256, expected });
    }
    await file.chmod(READ_ONLY);
    return stored;
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}
