/**
 * Lets outbox rows go, in order of priority and age. What runs and what waits in Redis together never exceed a multiple of
 * the nodes' slots: twice the free ones on an idle grid, and on a full one a next message for each slot that ends.
 */
import { ATTEMPT_IS_OPEN } from '#lib/jobs';
import { type Message } from '#lib/queue';
import { type EntityManager } from 'typeorm';

interface Row {
  readonly jobId: string;
  readonly attempt: number;
  readonly architecture: string;
}
export type Dispatch = Message & { readonly architecture: string };

/** Its message was let go and nobody has claimed it. A held job has an attempt at its fence: its message is spent. */
const ON_ITS_WAY = `job.state = 'QUEUED' AND job.dispatched_fence = job.fence
  AND NOT EXISTS (SELECT FROM attempt WHERE attempt.job_id = job.id AND attempt.number = job.fence)`;

/**
 * Marks what may go as dispatched and returns it; the caller adds it to the queue after the commit. A crash in between
 * is mended by `possiblyLost`.
 */
export async function takeReady(manager: EntityManager, depthFactor: number): Promise<Dispatch[]> {
  const rows: Row[] = await manager.query(
    `WITH capacity AS (
       SELECT architecture, sum($1 * slots - (
         SELECT count(*) FROM attempt WHERE attempt.node_id = node.id AND ${ATTEMPT_IS_OPEN})) AS depth
       FROM node WHERE state = 'READY' AND heartbeat_at > now() - interval '60 s' GROUP BY architecture
     ), waiting AS (
       SELECT architecture, count(*) AS depth FROM job WHERE ${ON_ITS_WAY} GROUP BY architecture
     ), candidate AS (
       SELECT outbox.id, job.id AS job_id, job.fence, job.architecture,
         row_number() OVER (PARTITION BY job.architecture ORDER BY job.priority DESC, job.queued_at, job.id) AS place
       FROM outbox JOIN job ON job.id = outbox.job_id AND job.fence = outbox.attempt_number
       WHERE outbox.dispatched_at IS NULL AND outbox.not_before <= now() AND job.state = 'QUEUED'
     ), chosen AS (
       SELECT candidate.* FROM candidate
       JOIN capacity USING (architecture) LEFT JOIN waiting USING (architecture)
       WHERE candidate.place <= capacity.depth - coalesce(waiting.depth, 0)
     ), marked AS (
       UPDATE outbox SET dispatched_at = now() FROM chosen WHERE outbox.id = chosen.id
     ), job_marked AS (
       UPDATE job SET dispatched_fence = job.fence FROM chosen
       WHERE job.id = chosen.job_id AND job.state = 'QUEUED' AND job.fence = chosen.fence RETURNING job.id
     )
     SELECT chosen.job_id AS "jobId", chosen.fence AS attempt, chosen.architecture
     FROM chosen JOIN job_marked ON job_marked.id = chosen.job_id ORDER BY chosen.place`,
    [depthFactor],
  );
  return rows;
}

/** Dispatched some time ago, claimed by nobody: Redis may have lost the message. Adding one twice is harmless. */
export async function possiblyLost(manager: EntityManager, olderThanS: number): Promise<Dispatch[]> {
  return manager.query(
    `SELECT job.id AS "jobId", job.fence AS attempt, job.architecture
     FROM job JOIN outbox ON outbox.job_id = job.id AND outbox.attempt_number = job.fence
     WHERE ${ON_ITS_WAY} AND outbox.dispatched_at < now() - make_interval(secs => $1)
     ORDER BY outbox.id LIMIT 1000`,
    [olderThanS],
  );
}
