/** Has jobs tried again that wait because their image was of no application, after what holds for those was changed. */
import { type WaitingReason } from '#lib/jobs';
import { type EntityManager } from 'typeorm';

const HELD: WaitingReason = 'waiting-for-known-content';
const FREE: WaitingReason = 'waiting-for-slot';

/**
 * The worker that claims one decides anew, and holds it again where the setting still says so. Their messages are spent: each
 * has a released attempt at its fence, so it needs the next fence and an outbox row.
 */
export async function releaseUnknownContent(manager: EntityManager, tenant: string): Promise<number> {
  const released: unknown[] = await manager.query(
    `WITH released AS (
       UPDATE job SET fence = fence + 1, queued_at = now(), waiting_reason = $3
       WHERE tenant = $1 AND state = 'QUEUED' AND waiting_reason = $2
         AND EXISTS (SELECT FROM attempt WHERE attempt.job_id = job.id AND attempt.number = job.fence AND attempt.state = 'RELEASED')
       RETURNING id, fence
     )
     INSERT INTO outbox (job_id, attempt_number) SELECT id, fence FROM released RETURNING id`,
    [tenant, HELD, FREE],
  );
  return released.length;
}
