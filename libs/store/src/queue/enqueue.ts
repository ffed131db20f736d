/** Puts jobs that may be placed into their lanes (libs/database/src/functions/queue.ts). */
import { type EntityManager } from 'typeorm';

/** Bounds one transaction; the rest follows in the next. */
const DUE_AT_A_TIME = 5_000;

interface Place {
  /** They were in the queue once: they go ahead of others of their priority. */
  readonly wasBefore?: boolean;
}

/** In this order. Those that are not QUEUED, or lie in the queue already, are left as they are. */
export async function enqueue(
  manager: EntityManager,
  jobs: readonly { readonly id: string }[],
  { wasBefore = false }: Place = {},
): Promise<void> {
  if (jobs.length === 0) return;
  await manager.query(
    'SELECT porin.enqueue(id, $2) FROM unnest($1::uuid[]) WITH ORDINALITY AS job(id, place) ORDER BY place',
    [jobs.map(({ id }) => id), wasBefore],
  );
}

/** A pause later. */
export async function enqueueLater(manager: EntityManager, jobId: string, pauseMs: number): Promise<void> {
  if (pauseMs <= 0) return enqueue(manager, [{ id: jobId }], { wasBefore: true });
  await manager.query(
    `INSERT INTO queue_delay (job_id, due_at) VALUES ($1, now() + make_interval(secs => $2))
     ON CONFLICT (job_id) DO UPDATE SET due_at = excluded.due_at`,
    [jobId, pauseMs / 1000],
  );
}

/** Whose pause is over. */
export async function enqueueDue(manager: EntityManager): Promise<void> {
  const due: { id: string }[] = await manager.query(
    `WITH due AS (
       DELETE FROM queue_delay WHERE job_id IN (
         SELECT job_id FROM queue_delay WHERE due_at <= now() ORDER BY due_at LIMIT ${DUE_AT_A_TIME}) RETURNING job_id, due_at
     )
     SELECT job_id AS id FROM due ORDER BY due_at, job_id`,
  );
  await enqueue(manager, due, { wasBefore: true });
}
