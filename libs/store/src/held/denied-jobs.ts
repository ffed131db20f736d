/** Jobs that were refused calls and wait for the decision about them: what they wait for, and how they end without it. */
import { JobError } from '#lib/jobs';
import { type EntityManager } from 'typeorm';

const WAITS = `job.state = 'QUEUED' AND job.waiting_reason = 'waiting-for-profile-decision'`;

/** The run that the job is held for: of its last attempt. */
export const RUN_OF_HELD_JOB = `${WAITS} AND run.job_id = job.id AND run.attempt_number = job.fence AND run.build_id = job.held_build_id`;

/** Jobs that wait because of a run that is evidence of the proposed version wait for its decision. */
export async function waitForVersion(manager: EntityManager, versionId: string): Promise<void> {
  await manager.query(
    `UPDATE job SET held_version_id = $1
     FROM profile_version_denial AS link JOIN executor_run AS run ON run.id = link.executor_run_id
     WHERE link.profile_version_id = $1 AND ${RUN_OF_HELD_JOB}`,
    [versionId],
  );
}

const OF_RUNS = `id IN (SELECT run.job_id FROM executor_run AS run WHERE run.id = ANY ($3) AND ${RUN_OF_HELD_JOB})`;

/** Ends the jobs that wait because of these runs. `why`: a whole sentence. */
export async function endJobsOfRuns(manager: EntityManager, runIds: readonly string[], why: string): Promise<void> {
  await end(manager, OF_RUNS, why, [runIds]);
}

/** Of one job: whatever is approved for it, another call may follow. */
export const DENIED_ATTEMPTS_MAXIMUM = 5;

/** Ends the jobs that wait because of these runs and were refused calls before, again and again. */
export async function endJobsDeniedTooOften(manager: EntityManager, runIds: readonly string[]): Promise<void> {
  await end(
    manager,
    `${OF_RUNS} AND (SELECT count(*) FROM attempt WHERE attempt.job_id = job.id AND attempt.error_code IN ('denied', 'denial-storm'))
       >= ${DENIED_ATTEMPTS_MAXIMUM}`,
    `${DENIED_ATTEMPTS_MAXIMUM} attempts were refused calls, each of them under another profile.`,
    [runIds],
  );
}

/** Ends the jobs that wait for the version, which was rejected. */
export async function endJobsOf(manager: EntityManager, versionId: string, reason: string): Promise<void> {
  const because = reason === '' ? '' : `: ${reason}`;
  await end(manager, 'held_version_id = $3', `the profile version that would allow them was rejected${because}`, [
    versionId,
  ]);
}

/** Ends the jobs that nobody decided about in time. */
export async function endUndecidedJobs(manager: EntityManager): Promise<void> {
  await end(
    manager,
    'held_until <= now()',
    'nobody decided in time about a profile version that would allow them.',
    [],
  );
}

async function end(
  manager: EntityManager,
  condition: string,
  why: string,
  parameters: readonly unknown[],
): Promise<void> {
  const { code, message, entry } = JobError.of('denied', { detail: why });
  await manager.query(
    `UPDATE job SET state = '${entry.finalState}', ended_at = now(), waiting_reason = NULL, error_code = $1, error_message = $2,
       held_build_id = NULL, held_version_id = NULL, held_until = NULL
     WHERE ${WAITS} AND ${condition}`,
    [code, message, ...parameters],
  );
}

/**
 * A version written by hand took the place of the one that jobs waited for, and was rejected: what they were refused is
 * proposed anew.
 */
export async function proposeAgainForWaiting(manager: EntityManager, buildId: string): Promise<void> {
  await manager.query(
    `UPDATE build SET reconsider_since = coalesce(reconsider_since, now()) WHERE id = $1
       AND EXISTS (SELECT FROM job WHERE ${WAITS} AND job.held_build_id = build.id)`,
    [buildId],
  );
}
