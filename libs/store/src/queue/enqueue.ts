/** Puts jobs that may be placed into their lanes (libs/database/src/functions/queue.ts). */
import { type EntityManager } from 'typeorm';

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
  const [due] = await manager.query<[{ id: string }[], number]>(
    'DELETE FROM queue_delay WHERE due_at <= now() RETURNING job_id AS id',
  );
  await enqueue(manager, due, { wasBefore: true });
}
