/** Queues held jobs again once nothing holds them any more: after a decision, a change of settings, or a while later. */
import { ADHOC_PREFIX, ATTEMPT_IS_OPEN, type WaitingReason } from '#lib/jobs';
import { type EntityManager } from 'typeorm';
import { enqueue } from '../queue/enqueue.js';
import { APPROVED_SIBLING, INHERITANCE_FAILED, IS_DECIDED_AGAINST, MAY_INHERIT } from '../stages/build-sql.js';

const IS_APPROVED = `EXISTS (SELECT FROM profile_version AS version
  WHERE version.build_id = executor.build_id AND version.state = 'APPROVED')`;
/** Nobody has approved it again since the keys changed. */
const IS_UNDER_REVIEW = `EXISTS (SELECT FROM profile_version AS version
  WHERE version.build_id = executor.build_id AND version.state = 'APPROVED' AND version.review_since IS NOT NULL)`;
/** Some executor of the job is so. `build`: null where nobody has resolved it. */
const executorWhere = (condition: string): string =>
  `EXISTS (SELECT FROM executor JOIN application ON application.id = executor.application_id
     LEFT JOIN build ON build.id = executor.build_id WHERE executor.job_id = job.id AND (${condition}))`;

/** What jobs get whose image is of no registered application. */
const UNKNOWN_CONTENT = `coalesce((SELECT unknown_content FROM tenant_setting WHERE tenant = application.tenant), 'hold')`;
/** Such a job is under the stricter of its ad hoc application's policy and the tenant's setting. */
const POLICY_HOLDS = `CASE WHEN starts_with(application.name, '${ADHOC_PREFIX}')
  THEN 'hold' IN (application.policy, ${UNKNOWN_CONTENT}) AND 'refuse' NOT IN (application.policy, ${UNKNOWN_CONTENT})
  ELSE application.policy = 'hold' END`;

/**
 * Nothing is there that could still be decided: the approved version is gone, and with it what the next one adds to. What the
 * application does without one decides.
 */
const NOTHING_TO_DECIDE = `NOT EXISTS (SELECT FROM profile_version AS version
    WHERE version.build_id = job.held_build_id AND version.state IN ('APPROVED', 'PROPOSED'))
  AND NOT EXISTS (SELECT FROM executor_run AS run
    WHERE run.job_id = job.id AND run.attempt_number = job.fence AND run.denials_considered_at IS NULL)`;

/** The job's own last run on the build that it is held for. */
const UNDECIDED = `NOT (${NOTHING_TO_DECIDE}) AND NOT EXISTS (
  SELECT FROM profile_version AS version JOIN executor_run AS run ON run.build_id = version.build_id
  JOIN attempt ON attempt.job_id = run.job_id AND attempt.number = run.attempt_number
  WHERE version.build_id = job.held_build_id AND version.state = 'APPROVED'
    AND run.job_id = job.id AND run.attempt_number = job.fence
    AND (version.id IS DISTINCT FROM run.profile_version_id
      OR version.stage = 'audit' AND version.stage_since > attempt.started_at))`;

/**
 * As contents or settings were when a worker looked; see the audit trail for what changes them. A change is in the trail a
 * little before anybody sees it.
 */
const UNKNOWN_STILL = `NOT EXISTS (
  SELECT FROM audit JOIN attempt ON attempt.job_id = job.id AND attempt.number = job.fence
  WHERE audit.tenant = job.tenant AND audit.at > attempt.started_at - interval '2 seconds'
    AND (audit.action IN ('application.create', 'application.change') OR audit.action = 'tenant.change'
      AND audit.detail->'before'->'unknownContent' IS DISTINCT FROM audit.detail->'after'->'unknownContent'))`;
/** Jobs on unknown content that are queued again at a time: most of them are only held again, whoever waits the longest first. */
const UNKNOWN_AT_A_TIME = 200;

/** By waiting reason: what still holds the job. */
const HOLDS = {
  'waiting-for-approved-profile': executorWhere(
    `${IS_UNDER_REVIEW} OR NOT ${IS_APPROVED} AND CASE
       WHEN NOT ${APPROVED_SIBLING} THEN ${POLICY_HOLDS}
       WHEN application.on_new_build = 'inherit' THEN ${IS_DECIDED_AGAINST} OR ${INHERITANCE_FAILED}
       ELSE application.on_new_build = 'hold' END`,
  ),
  'waiting-for-inherited-profile': executorWhere(
    `NOT ${IS_APPROVED} AND application.on_new_build = 'inherit' AND ${MAY_INHERIT}`,
  ),
  'waiting-for-stage-decision': executorWhere(
    `EXISTS (SELECT FROM profile_version AS version WHERE version.build_id = executor.build_id
       AND version.state = 'APPROVED' AND version.stage = 'audit'
       AND (version.audit_over OR (version.audit_terms->>'until')::timestamptz <= now()))`,
  ),
  'waiting-for-profile-decision': UNDECIDED,
  'waiting-for-known-content': UNKNOWN_STILL,
} satisfies Partial<Record<WaitingReason, string>>;
type HeldFor = keyof typeof HOLDS;

/**
 * A decision's caller passes its transaction, so that the jobs go if and only if the decision holds; the reconciler calls it
 * too, for a worker that held a job just while the decision was made.
 */
export async function releaseHeldJobs(manager: EntityManager): Promise<number> {
  let released = 0;
  for (const [reason, holds] of Object.entries(HOLDS)) {
    released += await queueAgain(manager, reason as HeldFor, `NOT (${holds})`, []);
  }
  return released;
}

/** Jobs of the tenant on contents that nobody knew: somebody may know them now. Those that are too many follow in later turns. */
export function releaseUnknownContent(manager: EntityManager, tenant: string): Promise<number> {
  return queueAgain(manager, 'waiting-for-known-content', 'job.tenant = $3', [tenant]);
}

/** The message of a held job is spent: it has an attempt at its fence, so it needs the next fence and a place in the queue. */
async function queueAgain(
  manager: EntityManager,
  reason: HeldFor,
  condition: string,
  parameters: readonly unknown[],
): Promise<number> {
  const next: WaitingReason = 'waiting-for-slot';
  const order =
    reason === 'waiting-for-known-content' ? `ORDER BY queued_at, id LIMIT ${UNKNOWN_AT_A_TIME}` : 'ORDER BY id';
  const released: { id: string }[] = await manager.query(
    `WITH free AS (
       -- In one order, because several of these may run at once.
       SELECT id FROM job WHERE state = 'QUEUED' AND waiting_reason = $1
         AND EXISTS (SELECT FROM attempt WHERE attempt.job_id = job.id AND attempt.number = job.fence AND NOT ${ATTEMPT_IS_OPEN})
         AND (${condition})
       ${order} FOR UPDATE OF job
     ), released AS (
       UPDATE job SET fence = fence + 1, queued_at = now(), waiting_reason = $2,
         held_build_id = NULL, held_version_id = NULL, held_until = NULL
       FROM free WHERE job.id = free.id RETURNING job.id, fence
     )
     SELECT id FROM released ORDER BY id`,
    [reason, next, ...parameters],
  );
  await enqueue(manager, released, { wasBefore: true });
  return released.length;
}
