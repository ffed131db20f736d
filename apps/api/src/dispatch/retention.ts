/** Deletes logs that are not to be kept any more; what was measured, recorded and decided stays. */
import { ATTEMPT_IS_OPEN } from '#lib/jobs';
import { type EntityManager } from 'typeorm';

/** Bounds one transaction: an artifact's chunks go with it. */
const BATCH = 100;

/** Returns true when there may be more. */
export async function deleteExpiredArtifacts(manager: EntityManager, retentionDays: number): Promise<boolean> {
  const [, count]: [unknown, number] = await manager.query(
    `DELETE FROM artifact WHERE id IN (
       SELECT artifact.id FROM artifact JOIN executor_run AS run ON run.id = artifact.executor_run_id
       JOIN attempt ON attempt.job_id = run.job_id AND attempt.number = run.attempt_number
       WHERE coalesce(artifact.expires_at, run.started_at + make_interval(days => $1)) < now() AND NOT ${ATTEMPT_IS_OPEN}
       LIMIT $2)`,
    [retentionDays, BATCH],
  );
  return count === BATCH;
}
