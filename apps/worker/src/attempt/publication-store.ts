/**
 * The database's side of publications: what was staged, the manifest that is the commit point, and how far it was carried out. Every
 * write but `swept` checks that the attempt still holds its job.
 */
import { JobError, type JobErrorCode } from '#lib/jobs';
import { type StagedOutput } from '#lib/staging';
import { type AttemptKey } from './attempt-key.js';
import { type AbandonedStaging, type Staging } from './claim.js';
import { lost } from './lost-attempt.js';
import { type OutputFile } from './output-files.js';
import { type NodeCalls } from '../store/node-database.js';

/** How the job ends once its outputs are in place: COMPLETE, or by the error of its payload. */
export type PublicationEnd = { readonly code: JobErrorCode; readonly message: string } | null;

export class PublicationStore {
  constructor(
    private readonly database: NodeCalls,
    private readonly options: { leaseMs: number },
  ) {}

  /**
   * Before the first byte is staged, so that whoever comes after a crash knows the names. `files`: null where they are the job's
   * outputs. Throws LostAttemptError.
   */
  async begin(key: AttemptKey, token: string, files: readonly OutputFile[] | null): Promise<void> {
    const named = files?.map(({ output, path, url }) => ({ output, path, url }));
    await this.#held('node_begin_staging', key, { token, ...(named && { files: named }) });
  }

  /**
   * The commit point, one statement. Throws JobError canceled where a cancel came before it, and LostAttemptError; after any
   * other error it may have happened or not.
   */
  async commit(key: AttemptKey, end: PublicationEnd, outputs: readonly StagedOutput[]): Promise<void> {
    const manifest = outputs.map(({ path, url, sha256, bytes, temporary, upload }) => ({
      path,
      url,
      sha256,
      bytes,
      temporary,
      upload,
    }));
    const answer = await this.#call<'held' | 'canceled' | 'lost'>('node_commit_publication', key, { end, manifest });
    if (answer !== 'held') throw answer === 'canceled' ? JobError.of('canceled', {}) : lost(key);
  }

  /** Of an attempt whose job has a manifest: it goes on from there, and nothing else. Throws LostAttemptError. */
  async resume(key: AttemptKey): Promise<void> {
    await this.#held('node_resume_publication', key, {});
  }

  /** Before each output: renews the lease, and marks those that are in place, by their URLs. Throws LostAttemptError. */
  async goOn(key: AttemptKey, published: readonly string[]): Promise<void> {
    await this.#held('node_go_on_publishing', key, { published });
  }

  /**
   * Ends the job as its manifest says. Nothing happens while an output is neither in place nor among these. `leavesBytes`: what
   * was staged is still to be removed. Throws LostAttemptError; however late its answer comes, the job has ended.
   */
  async complete(key: AttemptKey, published: readonly string[], leavesBytes: boolean): Promise<void> {
    const isEnded = await this.#call<boolean>('node_complete_publication', key, { published, leavesBytes });
    if (!isEnded) throw lost(key);
  }

  /** A retryable error leaves the rest to the next attempt; any other ends the job. Throws LostAttemptError. */
  async fail(key: AttemptKey, { code, message }: JobError, published: readonly string[]): Promise<void> {
    await this.#held('node_fail_publication', key, { code, message, published });
  }

  /** What attempts of this node may have left that nobody goes on from, without the `skipped` tokens. Each secret is given out once. */
  abandoned(skipped: readonly string[]): Promise<readonly AbandonedStaging[]> {
    return this.database.call('node_abandoned_stagings', { skipped });
  }

  /** What was staged under the token is gone. Without effect on what another node staged: it looks for itself. */
  async swept({ jobId, number, token }: Omit<Staging, 'outputs'>): Promise<void> {
    await this.database.call('node_swept', { jobId, number, token });
  }

  async #held(name: string, key: AttemptKey, values: object): Promise<void> {
    const sentAt = performance.now();
    const isHeld = await this.#call<boolean>(name, key, values);
    // The answer may have lain unread, or the statement waited, for longer than the lease that it gave.
    if (!isHeld || performance.now() - sentAt > this.options.leaseMs) throw lost(key);
  }

  #call<T>(name: string, { jobId, number }: AttemptKey, values: object): Promise<T> {
    return this.database.call(name, { jobId, number, leaseMs: this.options.leaseMs, ...values });
  }
}
