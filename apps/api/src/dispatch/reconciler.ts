/** Mends what a lost worker leaves behind; the only place that makes an attempt after the first one. */
import { type EntityManager } from 'typeorm';

const MAXIMUM_ATTEMPTS = 3;

/** Ends attempts whose lease ran out on the database's clock, and queues their jobs again or gives them up. */
export async function recoverLostAttempts(manager: EntityManager): Promise<number> {
  const lost: { job_id: string }[] = await manager.query(
    `WITH lost AS (
       SELECT job_id, number FROM attempt WHERE state = 'OPEN' AND lease_expires_at < now() FOR UPDATE SKIP LOCKED
     ), closed AS (
       UPDATE attempt SET state = 'LOST', ended_at = now(), error_code = 'lease-lost',
         error_message = 'The worker stopped renewing its lease.'
       FROM lost WHERE attempt.job_id = lost.job_id AND attempt.number = lost.number RETURNING attempt.job_id
     )
     SELECT job_id FROM closed`,
  );
  for (const { job_id: id } of lost) await requeue(manager, id);
  return lost.length;
}

async function requeue(manager: EntityManager, id: string): Promise<void> {
  await manager.query(`UPDATE job SET state = 'CANCELED', ended_at = now() WHERE id = $1 AND state = 'CANCELING'`, [
    id,
  ]);
  await manager.query(
    `UPDATE job SET state = 'SYSTEM_ERROR', ended_at = now(), failures = failures + 1, error_code = 'lease-lost',
       error_message = 'Every attempt lost its worker.'
     WHERE id = $1 AND state IN ('INITIALIZING', 'RUNNING') AND failures + 1 >= $2`,
    [id, MAXIMUM_ATTEMPTS],
  );
  await manager.query(
    `WITH again AS (
       UPDATE job SET state = 'QUEUED', fence = fence + 1, failures = failures + 1, queued_at = now(),
         waiting_reason = 'retry-after-lost-worker'
       WHERE id = $1 AND state IN ('INITIALIZING', 'RUNNING') RETURNING id, fence
     )
     INSERT INTO outbox (job_id, attempt_number) SELECT id, fence FROM again`,
    [id],
  );
}

/** Says of nodes that do not report any more that they are gone. */
export async function markSilentNodes(manager: EntityManager): Promise<void> {
  await manager.query(
    `UPDATE node SET state = 'GONE' WHERE state <> 'GONE' AND heartbeat_at < now() - interval '60 s'`,
  );
}
