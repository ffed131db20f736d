/** An input's way into the node: fetched by its scheme, limited, hashed, checked, and stored read-only. */
import { rm } from 'node:fs/promises';
import { type InputReference, JobError } from '#lib/jobs';
import { DamagedFile } from '../cache/cached-file.js';
import { failureDetail } from '../failure.js';
import { unlessStalled } from '../file/unless-stalled.js';
import { INLINE_NAME } from './inline-input.js';
import { type InputBudget, JobInputs } from './job-inputs.js';
import { type InputSource } from './input-source.js';
import { writeInput, type WriteOptions } from './write-input.js';
import { openInput } from './open-input.js';
import { stageDirectory } from './stage-directory.js';
import { DEFAULT_HTTP_TIMEOUTS, FILE_STALL_MS, type StagingRules } from '../rules.js';
import { type StoredFile } from '../stored-file.js';

/**
 * Creates `target`, a host path in a directory that exists: a file, or a directory. A file that is there already is an error and stays.
 * `inputs`: the job's, of which this is one; without them, it is the only one. Throws JobError (input-*, inputs-too-large), or the
 * signal's reason when it is aborted; `target` is gone then, or as soon as a file system that does not answer lets go of it.
 */
export async function stageInput(
  input: InputReference,
  target: string,
  rules: StagingRules,
  signal: AbortSignal,
  inputs = new JobInputs(rules, 1),
): Promise<StoredFile> {
  const details = { url: input.url ?? INLINE_NAME, path: input.path };
  const budget = inputs.begin(details);
  try {
    signal.throwIfAborted();
    const stage = (until: AbortSignal, changed = rules) =>
      input.type === 'DIRECTORY'
        ? stageDirectory(input, target, changed, until, budget)
        : stageFile(input, target, { ...details, sha256: input.sha256 }, changed, until, budget);
    const fetch = () =>
      stage(signal).catch((error: unknown) => {
        if (!(error instanceof DamagedFile)) throw error;
        budget.startAgain();
        rules.cache?.startAgain();
        return stage(signal, { ...rules, cache: undefined });
      });
    const terms = { moved: () => budget.moved, stallMs: rules.fileStallMs ?? FILE_STALL_MS };
    const stored = await (/^file:/i.test(details.url)
      ? unlessStalled((until) => stage(until), terms, signal)
      : fetch());
    budget.end();
    return stored;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof JobError) throw error;
    const detail = failureDetail(error, rules.httpTimeouts ?? DEFAULT_HTTP_TIMEOUTS);
    throw JobError.of('input-fetch-failed', { ...details, detail }, { cause: error });
  }
}

interface Expected {
  readonly url: string;
  readonly path: string;
  readonly sha256: string | undefined;
}

/** Throws JobError (input-*), HttpFailure, DamagedFile, and errors of the network. */
async function stageFile(
  input: InputReference,
  target: string,
  expected: Expected,
  rules: StagingRules,
  signal: AbortSignal,
  budget: InputBudget,
): Promise<StoredFile> {
  const source = await openInput(input, rules, signal);
  try {
    budget.announce(source.bytes);
    return await store(source, target, expected, { cache: rules.cache, budget, signal });
  } finally {
    await source.close();
  }
}

async function store(
  source: InputSource,
  target: string,
  { sha256: expected, ...details }: Expected,
  options: WriteOptions,
): Promise<StoredFile> {
  const stored = await writeInput(source, target, options);
  if (expected === undefined || stored.sha256 === expected) return stored;
  await rm(target, { force: true });
  throw JobError.of('input-checksum-mismatch', { ...details, actual: stored.sha256, expected });
}
