/** Cancels a job: at once while nobody has claimed it, else by telling the worker that holds it. */
import { type EntityManager } from 'typeorm';

/** Idempotent: a job that has ended, is being canceled or publishes its outputs stays as it is. */
export async function cancelJob(manager: EntityManager, id: string): Promise<void> {
  await manager.query(
    `UPDATE job SET
       state = CASE state WHEN 'QUEUED' THEN 'CANCELED' ELSE 'CANCELING' END,
       ended_at = CASE state WHEN 'QUEUED' THEN now() END,
       waiting_reason = NULL,
       held_build_id = NULL,
       held_version_id = NULL,
       held_until = NULL,
       cancel_requested_at = now()
     WHERE id = $1 AND state IN ('QUEUED', 'INITIALIZING', 'RUNNING') AND publishing_since IS NULL`,
    [id],
  );
}
