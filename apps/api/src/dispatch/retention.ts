/** Deletes what is not to be kept any more: logs, recordings, ended jobs, outbox rows. Decisions and the audit trail stay. */
import { type EntityManager } from 'typeorm';

export interface RetentionTerms {
  /** Days after which logs and traces go; a tenant may keep its own for a shorter time. */
  readonly artifactDays: number;
  /** Days after which recordings go that no version stands on. */
  readonly recordingDays: number;
  /** Days after its end at which a job goes, with its runs and what was measured of them. */
  readonly jobDays: number;
}

/** Bounds one statement: an artifact's chunks and a job's runs go with it. */
const BATCH = 100;

/** Of `run`: a version that is proposed, approved or was superseded by one stands on it. */
const VERSION_STANDS_ON_RUN = `EXISTS (
    SELECT FROM profile_version_recording AS evidence JOIN profile_version AS version ON version.id = profile_version_id
    WHERE evidence.executor_run_id = run.id AND version.state IN ('PROPOSED', 'APPROVED', 'SUPERSEDED'))
  OR EXISTS (
    SELECT FROM profile_version_denial AS evidence JOIN profile_version AS version ON version.id = profile_version_id
    WHERE evidence.executor_run_id = run.id AND version.state IN ('PROPOSED', 'APPROVED'))`;

/** A deletion that takes a batch; true when there may be more. */
type Deletion = (manager: EntityManager, terms: RetentionTerms) => Promise<boolean>;

const DELETIONS: readonly Deletion[] = [
  (manager, { artifactDays }) =>
    isFull(
      manager,
      `DELETE FROM artifact WHERE id IN (
         SELECT artifact.id FROM artifact JOIN executor_run AS run ON run.id = artifact.executor_run_id
         JOIN attempt ON attempt.job_id = run.job_id AND attempt.number = run.attempt_number
         JOIN job ON job.id = run.job_id LEFT JOIN tenant_setting AS setting ON setting.tenant = job.tenant
         WHERE coalesce(artifact.expires_at,
             run.started_at + make_interval(days => least($1::integer, setting.retention_days))) < now()
           AND attempt.ended_at IS NOT NULL
         LIMIT $2)`,
      artifactDays,
    ),
  (manager, { recordingDays }) =>
    isFull(
      manager,
      `DELETE FROM recording WHERE executor_run_id IN (
         SELECT run.id FROM recording JOIN executor_run AS run ON run.id = recording.executor_run_id
         WHERE recording.created_at < now() - make_interval(days => $1) AND recording.considered_at IS NOT NULL
           AND NOT (${VERSION_STANDS_ON_RUN})
         ORDER BY recording.created_at LIMIT $2)`,
      recordingDays,
    ),
  (manager, { jobDays }) => deleteJobs(manager, jobDays),
  // Of the present fence only the row of a job that waits is ever read again.
  (manager) =>
    isFull(
      manager,
      `DELETE FROM outbox WHERE id IN (
         SELECT outbox.id FROM outbox JOIN job ON job.id = outbox.job_id
         WHERE outbox.created_at < now() - make_interval(days => $1)
           AND (job.ended_at IS NOT NULL OR job.fence > outbox.attempt_number)
         ORDER BY outbox.id LIMIT $2)`,
      1,
    ),
];

/** One batch of each kind. Returns true when there may be more. */
export async function deleteExpired(manager: EntityManager, terms: RetentionTerms): Promise<boolean> {
  let mayBeMore = false;
  for (const deletion of DELETIONS) mayBeMore = (await deletion(manager, terms)) || mayBeMore;
  return mayBeMore;
}

/** Their artifacts and recordings first: what they took is noted by their runs (libs/database/src/functions/tenant-usage.ts). */
async function deleteJobs(manager: EntityManager, days: number): Promise<boolean> {
  return manager.transaction(async (transaction) => {
    const jobs: { id: string }[] = await transaction.query(
      `SELECT id FROM job WHERE ended_at < now() - make_interval(days => $1)
         AND NOT EXISTS (SELECT FROM executor_run AS run WHERE run.job_id = job.id AND (${VERSION_STANDS_ON_RUN}))
       ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED`,
      [days, BATCH],
    );
    if (jobs.length === 0) return false;
    const ids = jobs.map(({ id }) => id);
    for (const table of ['artifact', 'recording']) {
      await transaction.query(
        `DELETE FROM ${table} WHERE executor_run_id IN (SELECT id FROM executor_run WHERE job_id = ANY($1))`,
        [ids],
      );
    }
    await transaction.query('DELETE FROM job WHERE id = ANY($1)', [ids]);
    return jobs.length === BATCH;
  });
}

async function isFull(manager: EntityManager, statement: string, days: number): Promise<boolean> {
  const [, count]: [unknown, number] = await manager.query(statement, [days, BATCH]);
  return count === BATCH;
}
