/**
 * The SQL of publications: what was staged, the manifest that is the commit point, and how far it was carried out. Every
 * write but `swept` checks that the attempt still holds its job.
 */
import { ATTEMPT_IS_OPEN, JobError, type JobErrorCode } from '#lib/jobs';
import { type StagedOutput } from '#lib/staging';
import { type DataSource } from 'typeorm';
import { type AttemptKey, type Staging } from './claim.js';
import { lost } from './lost-attempt.js';

/** How the job ends once its outputs are in place: COMPLETE, or by the error of its payload. */
export type PublicationEnd = { readonly code: JobErrorCode; readonly message: string } | null;

export class PublicationStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly options: { nodeId: string; leaseMs: number },
  ) {}

  /** Before the first byte is staged, so that whoever comes after a crash knows the names. Throws LostAttemptError. */
  async begin(key: AttemptKey, token: string): Promise<void> {
    await this.#held(
      key,
      `UPDATE attempt SET staging_token = $1->>'token', ${RENEWED}
       WHERE ${KEY} AND attempt.state = 'OPEN' AND lease_expires_at > now() RETURNING job_id`,
      { token },
    );
  }

  /**
   * The commit point, one statement. Throws JobError canceled where a cancel came before it, and LostAttemptError; after any
   * other error it may have happened or not.
   */
  async commit(key: AttemptKey, end: PublicationEnd, outputs: readonly StagedOutput[]): Promise<void> {
    const manifest = outputs.map(({ path, url, sha256, bytes, temporary }, position) => {
      return { path, url, sha256, bytes, temporary, position };
    });
    const rows = await this.#write(
      key,
      `WITH held AS (
         SELECT attempt.job_id, attempt.number FROM attempt JOIN job ON job.id = attempt.job_id
         WHERE ${KEY} AND attempt.state = 'OPEN' AND lease_expires_at > now() AND job.state = 'RUNNING'
         FOR UPDATE OF attempt, job
       ), attempt_committed AS (
         UPDATE attempt SET state = 'PUBLISHING', ${RENEWED} FROM held
         WHERE attempt.job_id = held.job_id AND attempt.number = held.number
       ), job_committed AS (
         UPDATE job SET publishing_since = now() FROM held WHERE job.id = held.job_id
       ), stored AS (
         INSERT INTO publication (job_id, attempt_number, node_id, error_code, error_message)
         SELECT job_id, number, ($1->>'nodeId')::uuid, $1->'end'->>'code', $1->'end'->>'message' FROM held
       ), manifest AS (
         INSERT INTO job_output (job_id, attempt_number, path, url, sha256, bytes, temporary, position)
         SELECT held.*, output.* FROM held, jsonb_to_recordset($1->'manifest')
           AS output(path text, url text, sha256 text, bytes bigint, temporary text, position integer)
       )
       SELECT FROM held`,
      { nodeId: this.options.nodeId, end, manifest },
    );
    if (rows.length > 0) return;
    const [job]: { state: string }[] = await this.dataSource.query(
      `SELECT job.state FROM job JOIN attempt ON job_id = job.id WHERE job.id = $1 AND number = $2 AND ${ATTEMPT_IS_OPEN}`,
      [key.jobId, key.number],
    );
    throw job?.state === 'CANCELING' ? JobError.of('canceled', {}) : lost(key);
  }

  /** Of an attempt whose job has a manifest: it goes on from there, and nothing else. Throws LostAttemptError. */
  async resume(key: AttemptKey): Promise<void> {
    await this.#held(
      key,
      `WITH held AS (
         UPDATE attempt SET state = 'PUBLISHING', ${RENEWED} FROM publication
         WHERE ${KEY} AND attempt.state = 'OPEN' AND lease_expires_at > now() AND publication.job_id = attempt.job_id
         RETURNING attempt.job_id
       ), running AS (
         UPDATE job SET state = 'RUNNING' FROM held WHERE job.id = held.job_id AND state = 'INITIALIZING'
       )
       SELECT FROM held`,
      {},
    );
  }

  /** Before each output: renews the lease, and marks those that are in place. Throws LostAttemptError. */
  async goOn(key: AttemptKey, published: readonly string[]): Promise<void> {
    await this.#held(
      key,
      `WITH held AS (
         UPDATE attempt SET ${RENEWED} WHERE ${PUBLISHING} AND lease_expires_at > now() RETURNING job_id
       ), marked AS (${MARK})
       SELECT FROM held`,
      { published },
    );
  }

  /**
   * Ends the job as its manifest says. Nothing happens while an output is neither in place nor among these. `leavesBytes`: what
   * was staged is still to be removed. Throws LostAttemptError; however late its answer comes, the job has ended.
   */
  async complete(key: AttemptKey, published: readonly string[], leavesBytes: boolean): Promise<void> {
    const rows = await this.#write(
      key,
      `WITH held AS (
         SELECT attempt.job_id, attempt.number, error_code, error_message
         FROM (SELECT job_id, number FROM attempt WHERE ${PUBLISHING} FOR UPDATE) AS attempt JOIN publication USING (job_id)
         WHERE NOT EXISTS (SELECT FROM job_output AS output WHERE output.job_id = attempt.job_id
           AND published_at IS NULL AND NOT $1->'published' ? path)
       ), marked AS (${MARK}), ended AS (
         UPDATE attempt SET state = CASE WHEN held.error_code IS NULL THEN 'COMPLETE' ELSE 'FAILED' END, ended_at = now(),
           error_code = held.error_code, error_message = held.error_message,
           staging_token = CASE WHEN ($1->>'leavesBytes')::boolean THEN staging_token END
         FROM held WHERE attempt.job_id = held.job_id AND attempt.number = held.number
       ), job_ended AS (
         UPDATE job SET state = CASE WHEN held.error_code IS NULL THEN 'COMPLETE' ELSE 'EXECUTOR_ERROR' END, ended_at = now(),
           error_code = held.error_code, error_message = held.error_message
         FROM held WHERE job.id = held.job_id AND job.state = 'RUNNING'
       )
       SELECT FROM held`,
      { published, leavesBytes },
    );
    if (rows.length === 0) throw lost(key);
  }

  /** A retryable error leaves the rest to the next attempt; any other ends the job. Throws LostAttemptError. */
  async fail(key: AttemptKey, error: JobError, published: readonly string[]): Promise<void> {
    const { retryable, finalState } = error.entry;
    await this.#held(
      key,
      `WITH held AS (
         UPDATE attempt SET state = 'FAILED', ended_at = now(), error_code = $1->>'code', error_message = $1->>'message'
         WHERE ${PUBLISHING} RETURNING job_id
       ), marked AS (${MARK}), job_ended AS (
         UPDATE job SET state = $1->>'finalState', ended_at = now(), error_code = $1->>'code', error_message = $1->>'message'
         FROM held WHERE job.id = held.job_id AND state = 'RUNNING' AND $1->>'finalState' IS NOT NULL
       )
       SELECT FROM held`,
      { code: error.code, message: error.message, finalState: retryable ? null : finalState, published },
    );
  }

  /** What attempts of this node may have left that nobody goes on from. */
  async abandoned(): Promise<readonly Staging[]> {
    return this.dataSource.query(
      `SELECT job_id AS "jobId", number, staging_token AS token, outputs FROM attempt JOIN job ON job.id = job_id
       WHERE node_id = $1 AND staging_token IS NOT NULL AND NOT ${ATTEMPT_IS_OPEN} AND ${ABANDONED}
       ORDER BY attempt.started_at LIMIT 100`,
      [this.options.nodeId],
    );
  }

  /** What was staged under the token is gone. Whose lease was lost writes this too. */
  async swept({ jobId, number, token }: Omit<Staging, 'outputs'>): Promise<void> {
    await this.dataSource.query(
      `UPDATE attempt SET staging_token = NULL WHERE job_id = $1 AND number = $2 AND staging_token = $3`,
      [jobId, number, token],
    );
  }

  async #held(key: AttemptKey, sql: string, values: object): Promise<void> {
    const sentAt = performance.now();
    const rows = await this.#write(key, sql, values);
    // The answer may have lain unread, or the statement waited, for longer than the lease that it gave.
    if (rows.length === 0 || performance.now() - sentAt > this.options.leaseMs) throw lost(key);
  }

  /** One record: $1. */
  async #write(key: AttemptKey, sql: string, values: object): Promise<unknown[]> {
    const { jobId, number } = key;
    const record = JSON.stringify({ jobId, number, leaseS: this.options.leaseMs / 1000, ...values });
    const answer: unknown[] | [unknown[], number] = await this.dataSource.query(sql.replaceAll('$1', '$1::jsonb'), [
      record,
    ]);
    return Array.isArray(answer[0]) ? (answer[0] as unknown[]) : answer;
  }
}

const KEY = `attempt.job_id = ($1->>'jobId')::uuid AND attempt.number = ($1->>'number')::integer`;
const PUBLISHING = `${KEY} AND attempt.state = 'PUBLISHING'`;
const RENEWED = `lease_expires_at = now() + make_interval(secs => ($1->>'leaseS')::float8)`;
const MARK = `UPDATE job_output SET published_at = now() FROM held
  WHERE job_output.job_id = held.job_id AND published_at IS NULL AND $1->'published' ? path`;
/** The manifest may still stand on what its own attempt staged. */
const ABANDONED = `(job.ended_at IS NOT NULL OR NOT EXISTS (
  SELECT FROM publication WHERE publication.job_id = attempt.job_id AND publication.attempt_number = attempt.number))`;

/** Of attempts before the one that claims, as columns of `job`: JSON of Staging without outputs. */
export const EARLIER_STAGINGS = `(SELECT coalesce(jsonb_agg(jsonb_build_object(
    'jobId', attempt.job_id, 'number', attempt.number, 'token', staging_token)), '[]')
  FROM attempt WHERE attempt.job_id = job.id AND staging_token IS NOT NULL AND ${ABANDONED})`;
/** The job's manifest; null without one. */
export const MANIFEST = `CASE WHEN publishing_since IS NOT NULL THEN (SELECT coalesce(jsonb_agg(jsonb_build_object(
    'path', path, 'url', url, 'sha256', sha256, 'bytes', bytes, 'temporary', temporary,
    'isPublished', published_at IS NOT NULL) ORDER BY position), '[]')
  FROM job_output WHERE job_output.job_id = job.id) END`;
