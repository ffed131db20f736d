/** What of the queue tests look at: see libs/database/src/functions/queue.ts. */
import type pg from 'pg';

/** Whether the job can be placed now or after a pause, or was placed, at its present fence. */
export async function isQueuedOrPlaced(owner: pg.Client, jobId: string): Promise<boolean> {
  const { rowCount } = await owner.query(
    `SELECT FROM job WHERE id = $1 AND state = 'QUEUED' AND (dispatched_fence = fence
       OR EXISTS (SELECT FROM queue_entry WHERE job_id = job.id) OR EXISTS (SELECT FROM queue_delay WHERE job_id = job.id))`,
    [jobId],
  );
  return rowCount === 1;
}
