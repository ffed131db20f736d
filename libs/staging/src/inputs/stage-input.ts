/** An input's way into the node: fetched by its scheme, limited, hashed, checked, and stored read-only. */
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { describePrefixes, fileRoots, type InputReference, isUrlAllowed, JobError, parseDataUrl } from '#lib/jobs';
import { writeHashed } from '../copy.js';
import { failureDetail } from '../failure.js';
import { openDrsInput } from '../drs/drs-input.js';
import { openFileInput } from '../file/file-input.js';
import { openHttpInput } from '../http/http-input.js';
import { INLINE_NAME, openInlineInput } from './inline-input.js';
import { type InputSource } from './input-source.js';
import { openS3Input } from '../s3/s3-input.js';
import { DEFAULT_HTTP_TIMEOUTS, type StagingRules, type StoredFile } from '../rules.js';

const READ_ONLY = 0o444;

/**
 * Creates `target`, a host path in a directory that exists; a file that is there already is an error and stays.
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
export function openInput(input: InputReference, rules: StagingRules, signal: AbortSignal): Promise<InputSource> {
  if (input.content !== undefined) return Promise.resolve(openInlineInput(input.content));
  const text = input.url ?? '';
  const { url, problem } = parseDataUrl(text);
  if (problem !== null) throw JobError.of('input-url-malformed', { path: input.path, detail: problem });
  const { inputPrefixes: prefixes, foreignPrefixes: foreign } = rules;
  if (!isUrlAllowed(text, { prefixes, foreign })) {
    throw JobError.of('input-not-allowed', { url: text, detail: describePrefixes(prefixes) });
  }
  const { path } = input;
  switch (url.scheme) {
    case 'file': {
      const roots = { allowed: fileRoots(prefixes), foreign: fileRoots(foreign) };
      return openFileInput({ url: text, path, hostPath: url.path, roots }, signal);
    }
    case 's3':
      return openS3Input({ url, text, path }, rules, signal);
    case 'drs':
      return openDrsInput({ url, text, path }, rules, signal);
    default:
      return openHttpInput({ url: url.url, path }, rules, signal);
  }
}

interface Expected {
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
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file: FileHandle = await open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
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
