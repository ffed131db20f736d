/** Deletes what is not to be kept any more: logs, recordings, ended jobs. Decisions and the audit trail stay. */
import { type EntityManager } from 'typeorm';
import { type Transactions } from '../leadership.js';

export interface RetentionTerms {
  /** Days after which logs and traces go; a tenant may keep its own for a shorter time. */
  readonly artifactDays: number;
  /** Days after which recordings go that no version stands on. */
  readonly recordingDays: number;
  /** Days after its end at which a job goes, with its runs and what was measured of them. */
  readonly jobDays: number;
}

/** Bound one statement: an artifact's chunks and a job's runs go with it. One thing goes however large it is. */
const BATCH = 100;
const BATCH_BYTES = 64 * 1024 ** 2;

/** Of `run`: a version that is proposed, approved or was superseded by one stands on it. */
const VERSION_STANDS_ON_RUN = `EXISTS (
    SELECT FROM profile_version_recording AS evidence JOIN profile_version AS version ON version.id = profile_version_id
    WHERE evidence.executor_run_id = run.id AND version.state IN ('PROPOSED', 'APPROVED', 'SUPERSEDED'))
  OR EXISTS (
    SELECT FROM profile_version_denial AS evidence JOIN profile_version AS version ON version.id = profile_version_id
    WHERE evidence.executor_run_id = run.id AND version.state IN ('PROPOSED', 'APPROVED'))`;

/** Of `run`: an audit that goes on counts it (AUDITED_RUNS), however long ago it was. */
const AUDIT_COUNTS_RUN = `(run.enforcement = 'audit' AND EXISTS (
    SELECT FROM profile_version AS version WHERE version.build_id = run.build_id AND version.state = 'APPROVED'
      AND version.stage = 'audit' AND NOT version.audit_over AND run.started_at >= version.stage_since))`;
const IS_NEEDED = `(${VERSION_STANDS_ON_RUN} OR ${AUDIT_COUNTS_RUN})`;

/** Of `artifact`: a run that was lost has told no size. */
const STORED_BYTES = `greatest(artifact.bytes, (SELECT byte_offset + octet_length(content) FROM artifact_chunk
  WHERE artifact_id = artifact.id ORDER BY byte_offset DESC LIMIT 1))`;

/** Selects the first ids of rows `id, bytes` in their order, as many as one statement may delete. */
function firstOf(rows: string): string {
  return `SELECT id FROM (SELECT id, sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) - bytes AS before FROM (${rows} LIMIT ${BATCH}) AS row) AS batch
    WHERE before < ${BATCH_BYTES}`;
}

/** Of each tenant that ever had a job; its oldest first, by the index artifact_by_age. */
export const EXPIRED_ARTIFACTS = firstOf(
  `SELECT artifact.id, ${STORED_BYTES} AS bytes
   FROM (SELECT tenant FROM tenant_usage UNION SELECT tenant FROM tenant_usage_change) AS known
   LEFT JOIN tenant_setting AS setting ON setting.tenant = known.tenant
   CROSS JOIN LATERAL (
     SELECT oldest.* FROM artifact AS oldest JOIN executor_run AS run ON run.id = oldest.executor_run_id
     JOIN attempt ON attempt.job_id = run.job_id AND attempt.number = run.attempt_number
     WHERE oldest.tenant = known.tenant AND attempt.ended_at IS NOT NULL
       AND oldest.created_at < now() - make_interval(days => least($1::integer, setting.retention_days))
     ORDER BY oldest.created_at LIMIT ${BATCH}
   ) AS artifact`,
);

const EXPIRED_RECORDINGS = firstOf(
  `SELECT run.id, recording.content_bytes AS bytes FROM recording JOIN executor_run AS run ON run.id = recording.executor_run_id
   WHERE recording.created_at < now() - make_interval(days => $1) AND recording.considered_at IS NOT NULL AND NOT ${IS_NEEDED}
   ORDER BY recording.created_at`,
);

/** A deletion that takes a batch; true when there may be more. */
type Deletion = (manager: EntityManager, terms: RetentionTerms) => Promise<boolean>;

const DELETIONS: readonly Deletion[] = [
  (manager, { artifactDays }) =>
    hasDeleted(manager, `DELETE FROM artifact WHERE id IN (${EXPIRED_ARTIFACTS})`, [artifactDays]),
  (manager, { recordingDays }) =>
    hasDeleted(manager, `DELETE FROM recording WHERE executor_run_id IN (${EXPIRED_RECORDINGS})`, [recordingDays]),
  (manager, { jobDays }) => deleteJobs(manager, jobDays),
];

/** One batch of each kind, in a transaction of its own, also where another fails. Returns true when there may be more; throws AggregateError. */
export async function deleteExpired(database: Transactions, terms: RetentionTerms): Promise<boolean> {
  let mayBeMore = false;
  const errors: unknown[] = [];
  for (const deletion of DELETIONS) {
    try {
      mayBeMore = (await database.transaction((manager) => deletion(manager, terms))) || mayBeMore;
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `not all that has expired was deleted: ${String(errors[0])}`);
  return mayBeMore;
}

/**
 * Their artifacts and recordings first, in turns of their own: what they took is noted by their runs
 * (libs/database/src/functions/tenant-usage.ts).
 */
async function deleteJobs(manager: EntityManager, days: number): Promise<boolean> {
  const jobs: { id: string }[] = await manager.query(
    `SELECT id FROM job WHERE ended_at < now() - make_interval(days => $1)
       AND NOT EXISTS (SELECT FROM executor_run AS run WHERE run.job_id = job.id AND ${IS_NEEDED})
     ORDER BY ended_at LIMIT ${BATCH}`,
    [days],
  );
  if (jobs.length === 0) return false;
  const ids = jobs.map(({ id }) => id);
  const artifacts = firstOf(
    `SELECT artifact.id, ${STORED_BYTES} AS bytes FROM executor_run AS run JOIN artifact ON artifact.executor_run_id = run.id
     WHERE run.job_id = ANY($1)`,
  );
  const recordings = firstOf(
    `SELECT run.id, content_bytes AS bytes FROM executor_run AS run JOIN recording ON executor_run_id = run.id WHERE run.job_id = ANY($1)`,
  );
  if (await hasDeleted(manager, `DELETE FROM artifact WHERE id IN (${artifacts})`, [ids])) return true;
  if (await hasDeleted(manager, `DELETE FROM recording WHERE executor_run_id IN (${recordings})`, [ids])) return true;
  return hasDeleted(manager, 'DELETE FROM job WHERE id = ANY($1)', [ids]);
}

async function hasDeleted(manager: EntityManager, statement: string, parameters: readonly unknown[]): Promise<boolean> {
  const [, count]: [unknown, number] = await manager.query(statement, [...parameters]);
  return count > 0;
}
