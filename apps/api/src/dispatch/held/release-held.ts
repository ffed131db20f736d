/** Lets held jobs go once nothing holds them any more: after an approval, a change of policy, or neither in time. */
import { type WaitingReason } from '#lib/jobs';
import { type EntityManager } from 'typeorm';

const HELD: WaitingReason = 'waiting-for-approved-profile';
const FREE: WaitingReason = 'waiting-for-slot';

/**
 * A job is held while one of its executors belongs to an application of policy `hold` and to a build without an approved
 * profile. Its message is spent: it has an attempt at its fence, so it needs the next fence and an outbox row.
 * The caller of an approval passes its transaction, so that the jobs go if and only if the approval holds; the reconciler
 * calls it too, for a worker that held a job just while the approval was made.
 */
export async function releaseHeldJobs(manager: EntityManager): Promise<number> {
  const released: unknown[] = await manager.query(
    `WITH released AS (
       UPDATE job SET fence = fence + 1, queued_at = now(), waiting_reason = $2
       WHERE state = 'QUEUED' AND waiting_reason = $1
         AND EXISTS (SELECT FROM attempt WHERE attempt.job_id = job.id AND attempt.number = job.fence AND attempt.state = 'RELEASED')
         AND NOT EXISTS (
           SELECT FROM executor JOIN application ON application.id = executor.application_id
           WHERE executor.job_id = job.id AND application.policy = 'hold' AND NOT EXISTS (
             SELECT FROM profile_version WHERE profile_version.build_id = executor.build_id AND profile_version.state = 'APPROVED'
           )
         )
       RETURNING id, fence
     )
     INSERT INTO outbox (job_id, attempt_number) SELECT id, fence FROM released RETURNING id`,
    [HELD, FREE],
  );
  return released.length;
}
