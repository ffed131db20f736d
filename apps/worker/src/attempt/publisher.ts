/**
 * Publishes the outputs of one attempt:
 * 1. find the files of those that are directories or patterns, and stage all of them: opened without following links, checked, hashed, under hidden names beside their targets;
 * 2. commit: the manifest is stored, and from there a job is neither canceled nor run again;
 * 3. send those that go over HTTP, then rename those that are files, each only while the lease is held;
 * 4. end the job. Another attempt does 3 and 4 from the manifest where this one is lost.
 */
import { randomUUID } from 'node:crypto';
import { type StopReason } from '#lib/execution';
import { describePaths, isSelection, JobError, type OutputReference } from '#lib/jobs';
import {
  discardStaged,
  findPublished,
  JobFiles,
  type OutputPlace,
  type OutputSource,
  publishStaged,
  type StagedOutput,
  stageOutput,
  temporaryName,
} from '#lib/staging';
import { type Logger } from 'pino';
import { type Claim, type Staging } from './claim.js';
import { toJobError } from './job-errors.js';
import { LostAttemptError } from './lost-attempt.js';
import { type OutputFile, outputFiles } from './output-files.js';
import { type PublicationStore } from './publication-store.js';

/** After which a sweep is given up that has come upon something that cannot be removed: a server may be away. */
const SWEEP_MS = 60_000;

export interface PublisherOptions {
  readonly store: PublicationStore;
  readonly place: OutputPlace;
  readonly logger: Logger;
}

export class Publisher {
  readonly #token = randomUUID();
  /** Paths of outputs in place. */
  readonly #published: string[] = [];
  /** URLs of those among them that the database does not know yet. */
  #unmarked: string[] = [];
  readonly #files = new JobFiles();
  /** By place, the name of its staged bytes; see `temporaryName`. */
  #staging: readonly OutputReference[] = [];

  constructor(
    private readonly claim: Claim,
    private readonly options: PublisherOptions,
  ) {}

  /**
   * Stages all outputs and stores their manifest. With `end`, the error that the payload ended by, outputs that the payload
   * did not leave as it should are passed over; undefined where none is left then. Whatever is thrown, nothing is staged any
   * more, or the next attempt knows of it.
   */
  async commit(
    sourceOf: (output: OutputReference) => OutputSource,
    signal: AbortSignal,
    end: JobError | null,
  ): Promise<readonly StagedOutput[] | undefined> {
    const { store } = this.options;
    const { files, problems } = await outputFiles(this.claim, sourceOf);
    for (const problem of problems) this.#passOver(problem, end);
    // Nothing is staged yet, or no more.
    this.#files.targets.clear();
    await store.begin(this.claim, this.#token, this.claim.outputs.some(isSelection) ? files : null);
    this.#staging = files;
    const staged: StagedOutput[] = [];
    try {
      await this.#stageAll(staged, files, signal, end);
      if (staged.length === 0 && end !== null) {
        await this.#discard();
        return undefined;
      }
    } catch (error) {
      await this.#discard();
      throw error;
    }
    try {
      await store.commit(this.claim, end && { code: end.code, message: end.message }, staged);
    } catch (error) {
      // Where the answer was lost, the manifest may stand on what was staged: whoever comes next finds out.
      if (error instanceof LostAttemptError || error instanceof JobError) await this.#discard();
      throw error;
    }
    return staged;
  }

  /** Never rejects: what goes wrong is written into the database. `signal` stops it by a StopReason, for another attempt to go on. */
  async carryOut(
    manifest: readonly (StagedOutput & { isPublished?: boolean })[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { store, logger } = this.options;
    try {
      const inPlace = manifest.filter(({ isPublished }) => isPublished);
      const left = inOrder(manifest.filter(({ isPublished }) => !isPublished));
      this.#published.push(...inPlace.map(({ path }) => path));
      if (left.length > 0) for (const output of inPlace) await findPublished(output, this.options.place, this.#files);
      for (const output of left) {
        await store.goOn(this.claim, this.#unmarked);
        this.#unmarked = [];
        await publishStaged(output, this.options.place, { signal, files: this.#files });
        this.#published.push(output.path);
        this.#unmarked.push(output.url);
      }
      const sent = manifest.filter((output) => !isFile(output));
      await store.complete(this.claim, this.#unmarked, sent.length > 0);
      if (sent.length > 0) await this.#discardAll(sent);
      logger.info({ outputs: manifest.length }, 'published');
      return true;
    } catch (error) {
      await this.#fail(error, manifest, signal);
      return false;
    }
  }

  async #stageAll(
    staged: StagedOutput[],
    files: readonly OutputFile[],
    signal: AbortSignal,
    end: JobError | null,
  ): Promise<void> {
    const { share } = this.claim;
    let left = share.diskBytes;
    for (const [index, file] of files.entries()) {
      const limit = { bytes: left, jobBytes: share.diskBytes };
      const temporary = temporaryName(this.#token, index);
      try {
        const one = await stageOutput(file, file.source, {
          place: this.options.place,
          temporary,
          limit,
          signal,
          files: this.#files,
        });
        staged.push(one);
        left -= one.bytes;
      } catch (error) {
        this.#passOver(error, end);
      }
    }
  }

  /** What the payload did not leave as it should, where it has failed anyway. Throws everything else again. */
  #passOver(error: unknown, end: JobError | null): void {
    const isPayloads = error instanceof JobError && error.entry.fault === 'payload';
    if (end === null || !isPayloads) throw error;
    this.options.logger.info({ code: error.code }, error.message);
  }

  async #fail(cause: unknown, manifest: readonly StagedOutput[], signal: AbortSignal): Promise<void> {
    const { store, place, logger } = this.options;
    if (cause instanceof LostAttemptError || (signal.reason as StopReason | undefined) === 'lease-lost') {
      return logger.warn({ err: cause }, 'the publication is left to another attempt');
    }
    const error = signal.aborted
      ? JobError.of('node-draining', { node: place.nodeName })
      : this.#inWords(toJobError(cause, place.nodeName));
    logger.error({ err: error }, error.code);
    try {
      await store.fail(this.claim, error, this.#unmarked);
      if (!error.entry.retryable) await this.#discardAll(manifest);
    } catch (failure) {
      // The lease runs out and another attempt goes on from the manifest.
      logger.error({ err: failure }, 'the end of the publication could not be written');
    }
  }

  /** What is refused before anything is in place is the error of the job; after that, the job says what is in place. */
  #inWords(error: JobError): JobError {
    if (error.entry.retryable) return error;
    if (this.#published.length === 0 && error.entry.fault !== 'system') return error;
    const published = describePaths(this.#published);
    return JobError.of('publication-incomplete', { detail: error.message, published }, { cause: error });
  }

  async #discard(): Promise<void> {
    const { jobId, number } = this.claim;
    await sweep({ jobId, number, token: this.#token, outputs: this.#staging }, this.options);
  }

  /** Renamed files and completed uploads are gone by themselves; the bytes of what was sent, and of what could not be, are not. */
  async #discardAll(outputs: readonly StagedOutput[]): Promise<void> {
    const { store, place, logger } = this.options;
    const published = new Set(this.#published);
    try {
      for (const { url, path, temporary, upload } of outputs) {
        const isLeft = upload !== undefined && !published.has(path);
        await discardStaged({ url, path, ...(isLeft && { upload }) }, temporary, place);
      }
      await store.swept({ jobId: this.claim.jobId, number: this.claim.number, token: this.#token });
    } catch (error) {
      logger.warn({ err: error }, 'staged bytes stay for now');
    }
  }
}

/**
 * Removes what an attempt may have left beside the targets of its outputs. What cannot be removed keeps nothing else from it, and
 * is tried again later: false then.
 */
export async function sweep(staging: Staging, { store, place, logger }: PublisherOptions): Promise<boolean> {
  const startedAt = performance.now();
  const problems: unknown[] = [];
  try {
    for (const [index, output] of staging.outputs.entries()) {
      await discardStaged(output, temporaryName(staging.token, index), place).catch((error: unknown) => {
        // Nothing was staged where nothing may be.
        if (!(error instanceof JobError && error.entry.fault === 'submitter')) problems.push(error);
      });
      if (problems.length > 0 && performance.now() - startedAt > SWEEP_MS) break;
    }
    if (problems.length > 0) throw problems[0];
    await store.swept(staging);
    return true;
  } catch (error) {
    logger.warn({ err: error, jobId: staging.jobId, problems: problems.length }, 'staged outputs stay for now');
    return false;
  }
}

/** A PUT cannot be taken back and a rename cannot be refused any more: what may fail comes first. */
function inOrder(outputs: readonly StagedOutput[]): readonly StagedOutput[] {
  return [...outputs.filter((output) => !isFile(output)), ...outputs.filter(isFile)];
}

function isFile({ url }: StagedOutput): boolean {
  return /^file:/i.test(url);
}
