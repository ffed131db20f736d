/** Enforces versions whose audit was quiet for long enough, by a statement signed anew, or says that an audit is over. */
import { ProfileVersion } from '#lib/database';
import { type ApprovalKeys, isSpent, isUnpromoted, promotionSentence } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { AUDITED_RUNS, lockVersion, releaseHeldJobs, standingsOf, verifiedAudit, writeDecision } from '#lib/store';
import { type Candidate } from './rule.js';

/**
 * Versions with as many runs as their terms ask for. Which of these were quiet is looked at one by one, when one more has
 * ended, its job has, or its recording was checked.
 */
export function audited(manager: EntityManager): Promise<readonly Candidate[]> {
  return manager.query(
    `SELECT version.id, concat_ws(' ', version.stage_since, md5(version.statement), application.expected_exit_codes, seen.facts) AS facts
     FROM profile_version AS version JOIN build ON build.id = version.build_id
     JOIN application ON application.id = build.application_id
     CROSS JOIN LATERAL (
       SELECT count(*) AS runs, concat_ws(' ', count(*), max(run.ended_at), count(job.ended_at), max(job.ended_at),
         count(recording.considered_at), max(recording.considered_at)) AS facts
       FROM (SELECT run.* ${AUDITED_RUNS}) AS run JOIN job ON job.id = run.job_id
       LEFT JOIN recording ON recording.executor_run_id = run.id
     ) AS seen
     WHERE version.state = 'APPROVED' AND version.stage = 'audit' AND NOT version.audit_over
       AND (version.audit_terms->>'until')::timestamptz > now()
       AND seen.runs >= (version.audit_terms->>'quietRuns')::int
     ORDER BY version.stage_since`,
  );
}

/** What it came to, if anything. What counts are the terms that were signed. */
export async function promote(
  manager: EntityManager,
  keys: ApprovalKeys,
  versionId: string,
): Promise<'promoted' | 'over' | undefined> {
  const version = await lockVersion(manager, versionId);
  if (version?.state !== 'APPROVED' || version.auditOver) return undefined;
  const terms = await verifiedAudit(manager, keys, version);
  if (!terms) return undefined;
  const standing = (await standingsOf(manager, [{ id: versionId, terms }])).get(versionId);
  if (!standing) return undefined;
  if (isSpent(standing)) {
    await manager.update(ProfileVersion, { id: versionId }, { auditOver: true });
    return 'over';
  }
  if (!standing.isReached || isUnpromoted(standing, terms, new Date())) return undefined;
  await writeDecision(manager, keys, version, {
    kind: 'approved',
    from: 'APPROVED',
    audit: null,
    reason: promotionSentence(standing),
    by: { rule: 'promotion' },
  });
  await releaseHeldJobs(manager);
  return 'promoted';
}
