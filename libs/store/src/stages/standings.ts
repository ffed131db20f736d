/** Reads what the runs under audit say so far of approved versions. */
import {
  type AuditedRun,
  type AuditTerms,
  commonCalls,
  type Coverage,
  type PromotionStanding,
  promotionStanding,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { VERDICT } from '../recordings/verdict.js';
import { AUDITED_RUNS } from './build-sql.js';

/** Versions that are looked through for one with recordings behind it. */
const ANCESTORS_MAXIMUM = 20;

/** By version; every one of them, which are all in audit, has an entry. */
export async function standingsOf(
  manager: EntityManager,
  versions: readonly { readonly id: string; readonly terms: AuditTerms }[],
): Promise<ReadonlyMap<string, PromotionStanding>> {
  const ids = versions.map(({ id }) => id);
  const common = await commonCallsOf(manager, ids);
  const runs = await auditedRuns(manager, ids, common);
  return new Map(versions.map(({ id, terms }) => [id, promotionStanding(runs.get(id) ?? [], terms, common.has(id))]));
}

/** Oldest first. A run behind a version that was rejected may be quiet under the one that was approved. */
async function auditedRuns(
  manager: EntityManager,
  versionIds: readonly string[],
  common: CommonCalls,
): Promise<ReadonlyMap<string, readonly AuditedRun[]>> {
  const rows: (AuditedRun & { readonly versionId: string })[] = await manager.query(
    `SELECT version.id AS "versionId", run.data_digest AS "dataDigest",
       coalesce(recording.call_names @> ARRAY(SELECT jsonb_array_elements_text($2::jsonb->version.id::text)), false)
         AS "doesTheWork",
       (SELECT count(*) FROM denial WHERE denial.executor_run_id = run.id)::float8 + run.denials_dropped::float8 AS denials,
       ${VERDICT} IN ('teaches', 'refused-version') AS "isTelling"
     FROM profile_version AS version
     CROSS JOIN LATERAL (SELECT run.* ${AUDITED_RUNS}) AS run
     JOIN attempt ON attempt.job_id = run.job_id AND attempt.number = run.attempt_number
     JOIN job ON job.id = run.job_id
     JOIN build ON build.id = run.build_id JOIN application ON application.id = build.application_id
     LEFT JOIN recording ON recording.executor_run_id = run.id
     WHERE version.id = ANY ($1) AND (job.state NOT IN ('CANCELED', 'SYSTEM_ERROR')
       OR run.denials_dropped > 0 OR EXISTS (SELECT FROM denial WHERE denial.executor_run_id = run.id))
     ORDER BY run.ended_at, run.id`,
    [versionIds, JSON.stringify(Object.fromEntries(common))],
  );
  const byVersion = new Map<string, AuditedRun[]>();
  for (const { versionId, ...run } of rows) byVersion.set(versionId, [...(byVersion.get(versionId) ?? []), run]);
  return byVersion;
}

const IS_ENOUGH = `EXISTS (SELECT FROM jsonb_each(ancestor.coverage) AS seen(key, value)
  WHERE NOT starts_with(key, 'file:') AND (value->>'of')::int >= recordings_needed)`;

/** By version, where recordings say what its program does at all; never empty. */
type CommonCalls = ReadonlyMap<string, readonly string[]>;

/**
 * From as many recordings as the application asks for: one that added to an inherited version says what that run did, not
 * what the program does. With fewer, or none, those behind the version that it comes from.
 */
async function commonCallsOf(manager: EntityManager, versionIds: readonly string[]): Promise<CommonCalls> {
  const rows: { versionId: string; coverage: Coverage }[] = await manager.query(
    `WITH RECURSIVE ancestor AS (
       SELECT version.id AS version_id, coverage, coalesce(inherited_from, version.based_on) AS before, 1 AS step,
         recordings_needed
       FROM profile_version AS version JOIN build ON build.id = build_id
       JOIN application ON application.id = application_id WHERE version.id = ANY ($1)
       UNION ALL
       SELECT version_id, version.coverage, coalesce(inherited_from, based_on), step + 1, recordings_needed
       FROM ancestor JOIN profile_version AS version ON version.id = ancestor.before
       WHERE step < $2 AND NOT ${IS_ENOUGH}
     )
     SELECT version_id AS "versionId", coverage FROM ancestor WHERE ${IS_ENOUGH}`,
    [versionIds, ANCESTORS_MAXIMUM],
  );
  const common = rows.map(({ versionId, coverage }) => [versionId, commonCalls(coverage)] as const);
  return new Map(common.filter(([, calls]) => calls.length > 0));
}
