/** Mends what workers leave behind; the only place that makes an attempt after the first one. */
import { ATTEMPT_IS_OPEN, describePaths, JobError, type JobErrorCode } from '#lib/jobs';
import { enqueueLater } from '#lib/store';
import { type EntityManager } from 'typeorm';
import { markUnresponsive } from '../placement/in-flight.js';
import { FAILED_ON_WELL_NODES, noteNodeFailure, UNTRIED_NODES } from './node-failures.js';
import { type EndedAttempt, mayBeNodes, pauseMs, verdictOn } from './retry.js';

/** Bounds one transaction; the rest follows in the next round. */
const BATCH = 500;

/** Ends attempts whose lease ran out on the database's clock. What becomes of their jobs, `settleJobs` decides. */
export async function endLostAttempts(manager: EntityManager): Promise<void> {
  const lost: { jobId: string; number: number; nodeId: string; node: string }[] = await manager.query(
    `SELECT attempt.job_id AS "jobId", attempt.number, node.id AS "nodeId", node.name AS node FROM attempt JOIN node ON node.id = attempt.node_id
     WHERE ${ATTEMPT_IS_OPEN} AND attempt.lease_expires_at < now() LIMIT $1 FOR UPDATE OF attempt SKIP LOCKED`,
    [BATCH],
  );
  for (const { jobId, number, node } of lost) {
    const { code, message } = JobError.of('lease-lost', { node });
    await manager.query(
      `UPDATE attempt SET state = 'LOST', ended_at = now(), error_code = $3, error_message = $4
       WHERE job_id = $1 AND number = $2 AND ${ATTEMPT_IS_OPEN}`,
      [jobId, number, code, message],
    );
  }
  await markUnresponsive(
    manager,
    lost.map(({ nodeId }) => nodeId),
  );
}

interface UnsettledJob extends EndedAttempt {
  readonly id: string;
  readonly nodeId: string;
  readonly errorMessage: string | null;
}

/** Attempts that failed at the outputs; null for a job that has not begun to publish them. */
const PUBLICATION_FAILURES = `(SELECT (SELECT count(*) FROM attempt AS tried WHERE tried.job_id = job.id
    AND tried.number >= publication.attempt_number AND tried.state IN ('FAILED', 'LOST'))::integer
  FROM publication WHERE publication.job_id = job.id)`;

/**
 * Jobs that an attempt was started for and that no attempt holds any more: those being canceled end so, the others are
 * queued again with the next fence or given up.
 */
export async function settleJobs(manager: EntityManager, firstPauseMs: number): Promise<void> {
  await manager.query(
    `UPDATE job SET state = 'CANCELED', ended_at = now() WHERE state = 'CANCELING' AND ended_at IS NULL
     AND NOT EXISTS (SELECT FROM attempt WHERE attempt.job_id = job.id AND ${ATTEMPT_IS_OPEN})`,
  );
  const unsettled: UnsettledJob[] = await manager.query(
    `SELECT job.id, job.failures, job.free_failures AS "freeFailures", attempt.state, attempt.error_code AS "errorCode", attempt.error_message AS "errorMessage",
       attempt.node_id AS "nodeId", ${PUBLICATION_FAILURES} AS "publicationFailures", ${FAILED_ON_WELL_NODES}, ${UNTRIED_NODES}
     FROM job JOIN attempt ON attempt.job_id = job.id AND attempt.number = job.fence
     WHERE job.state IN ('INITIALIZING', 'RUNNING') AND job.ended_at IS NULL AND attempt.state IN ('FAILED', 'LOST', 'RELEASED')
     LIMIT $1 FOR UPDATE OF job SKIP LOCKED`,
    [BATCH],
  );
  for (const job of unsettled) await settle(manager, job, firstPauseMs);
}

async function settle(manager: EntityManager, job: UnsettledJob, firstPauseMs: number): Promise<void> {
  const verdict = verdictOn(job);
  if (mayBeNodes(job)) await noteNodeFailure(manager, job, { isFree: verdict.isFree });
  if (verdict.kind === 'end') {
    await manager.query(
      `UPDATE job SET state = $2, ended_at = now(), failures = $3, error_code = $4, error_message = $5
       WHERE id = $1 AND state IN ('INITIALIZING', 'RUNNING')`,
      [job.id, verdict.state, verdict.failures, verdict.errorCode, await endMessage(manager, verdict.errorCode, job)],
    );
    return;
  }
  await manager.query(
    `UPDATE job SET state = 'QUEUED', fence = fence + 1, failures = $2, queued_at = now(), waiting_reason = $3,
       free_failures = free_failures + $4::boolean::integer
     WHERE id = $1 AND state IN ('INITIALIZING', 'RUNNING')`,
    [job.id, verdict.failures, verdict.waitingReason, verdict.isFree],
  );
  await enqueueLater(manager, job.id, pauseMs(job, verdict, firstPauseMs));
}

/** That of the attempt, or of the outputs, what of them is in place. */
async function endMessage(manager: EntityManager, code: JobErrorCode, job: UnsettledJob): Promise<string | null> {
  if (code !== 'publication-incomplete') return job.errorMessage;
  return (await publicationIncomplete(manager, job.id, job.errorMessage ?? '')).message;
}

/** With what is in place. `detail`: whole sentences that say why the rest is not. */
async function publicationIncomplete(manager: EntityManager, jobId: string, detail: string): Promise<JobError> {
  const published: { path: string }[] = await manager.query(
    `SELECT path FROM job_output WHERE job_id = $1 AND published_at IS NOT NULL ORDER BY position, path COLLATE "C"`,
    [jobId],
  );
  return JobError.of('publication-incomplete', { detail, published: describePaths(published.map(({ path }) => path)) });
}

/**
 * Ends the jobs whose outputs nobody has put in place so long after their manifest was stored, and with them their claims: no
 * node that could do it has come back. An attempt that is at work on it is left to its own deadlines.
 */
export async function endOverduePublications(manager: EntityManager, limitMs: number): Promise<void> {
  const overdue: { id: string; errorMessage: string | null }[] = await manager.query(
    `SELECT job.id, (SELECT attempt.error_message FROM attempt WHERE attempt.job_id = job.id ORDER BY attempt.number DESC LIMIT 1)
       AS "errorMessage"
     FROM job WHERE job.state = 'QUEUED' AND job.ended_at IS NULL
       AND job.publishing_since < now() - make_interval(secs => $1) LIMIT $2 FOR UPDATE OF job SKIP LOCKED`,
    [limitMs / 1000, BATCH],
  );
  for (const { id, errorMessage } of overdue) {
    const why = `No node has put the rest in place within ${Math.round(limitMs / 1000)} s.`;
    const error = await publicationIncomplete(manager, id, errorMessage === null ? why : `${errorMessage} ${why}`);
    await manager.query(
      `UPDATE job SET state = $2, ended_at = now(), waiting_reason = NULL, error_code = $3, error_message = $4
       WHERE id = $1 AND state = 'QUEUED'`,
      [id, error.entry.finalState, error.code, error.message],
    );
  }
}

/** Says of nodes that do not report any more that they are gone. */
export async function markSilentNodes(manager: EntityManager): Promise<void> {
  await manager.query(
    `UPDATE node SET state = 'GONE' WHERE state <> 'GONE' AND heartbeat_at < now() - interval '60 s'`,
  );
}
