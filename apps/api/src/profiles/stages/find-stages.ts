/** Reads how approved versions stand: their stage, and what the runs under audit say so far. */
import {
  type AuditedRun,
  type AuditTerms,
  commonCalls,
  type Coverage,
  isUnpromoted,
  promotionSentence,
  type PromotionStanding,
  promotionStanding,
  type Stage,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type z } from 'zod';
import { VERDICT } from '../verdict.js';
import { AUDITED_RUNS } from './build-sql.js';
import { type promotion, type stage } from './stage-answer.js';

/** Versions that are looked through for one with recordings behind it. */
const ANCESTORS_MAXIMUM = 20;

interface Row {
  readonly buildId: string;
  readonly profileId: string;
  readonly stage: Stage;
  readonly since: Date | null;
  readonly terms: AuditTerms | null;
}

/** By build; those without an approved version have no entry. */
export async function stagesOf(
  manager: EntityManager,
  buildIds: readonly string[],
): Promise<ReadonlyMap<string, z.input<typeof stage>>> {
  const rows: Row[] = await manager.query(
    `SELECT build_id AS "buildId", id AS "profileId", stage, stage_since AS since, audit_terms AS terms
     FROM profile_version WHERE build_id = ANY ($1) AND state = 'APPROVED'`,
    [buildIds],
  );
  const standings = await standingsOf(
    manager,
    rows.flatMap(({ profileId, terms }) => (terms ? [{ id: profileId, terms }] : [])),
  );
  const now = new Date();
  return new Map(
    rows.map(({ buildId, terms, ...row }) => {
      const standing = standings.get(row.profileId);
      return [buildId, { ...row, promotion: terms && standing ? promotionAnswer(standing, terms, now) : null }];
    }),
  );
}

function promotionAnswer(standing: PromotionStanding, terms: AuditTerms, now: Date): z.input<typeof promotion> {
  const { quietRuns, inputs, runs } = standing;
  const isOver = isUnpromoted(standing, terms, now);
  return { sentence: promotionSentence(standing), quietRuns, inputs, runs, until: terms.until, isOver };
}

/** By version; every one of them, which are all in audit, has an entry. */
export async function standingsOf(
  manager: EntityManager,
  versions: readonly { readonly id: string; readonly terms: AuditTerms }[],
): Promise<ReadonlyMap<string, PromotionStanding>> {
  const ids = versions.map(({ id }) => id);
  const runs = await auditedRuns(manager, ids);
  const common = await commonCallsOf(manager, ids);
  return new Map(
    versions.map(({ id, terms }) => [id, promotionStanding(runs.get(id) ?? [], terms, common.get(id) ?? [])]),
  );
}

/** Oldest first. A run behind a version that was rejected may be quiet under the one that was approved. */
async function auditedRuns(
  manager: EntityManager,
  versionIds: readonly string[],
): Promise<ReadonlyMap<string, readonly AuditedRun[]>> {
  const rows: (AuditedRun & { readonly versionId: string })[] = await manager.query(
    `SELECT version.id AS "versionId", run.data_digest AS "dataDigest", recording.call_names AS "callNames",
       (SELECT count(*) FROM denial WHERE denial.executor_run_id = run.id)::float8 + run.denials_dropped::float8 AS denials,
       ${VERDICT} IN ('teaches', 'refused-version') AS "isTelling"
     FROM profile_version AS version
     CROSS JOIN LATERAL (SELECT run.* ${AUDITED_RUNS}) AS run
     JOIN attempt ON attempt.job_id = run.job_id AND attempt.number = run.attempt_number
     JOIN job ON job.id = run.job_id
     JOIN build ON build.id = run.build_id JOIN application ON application.id = build.application_id
     LEFT JOIN recording ON recording.executor_run_id = run.id
     WHERE version.id = ANY ($1) ORDER BY run.ended_at, run.id`,
    [versionIds],
  );
  const byVersion = new Map<string, AuditedRun[]>();
  for (const { versionId, ...run } of rows) byVersion.set(versionId, [...(byVersion.get(versionId) ?? []), run]);
  return byVersion;
}

/** Of a version that no recordings are behind, such as an inherited one, those of the version that it comes from. */
async function commonCallsOf(
  manager: EntityManager,
  versionIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows: { versionId: string; coverage: Coverage }[] = await manager.query(
    `WITH RECURSIVE ancestor AS (
       SELECT id AS version_id, coverage, coalesce(inherited_from, based_on) AS before, 1 AS step
       FROM profile_version WHERE id = ANY ($1)
       UNION ALL
       SELECT version_id, version.coverage, coalesce(inherited_from, based_on), step + 1
       FROM ancestor JOIN profile_version AS version ON version.id = ancestor.before
       WHERE step < $2 AND NOT EXISTS (SELECT FROM jsonb_each(ancestor.coverage) AS seen(key, value)
         WHERE NOT starts_with(key, 'file:') AND (value->>'of')::int > 0)
     )
     SELECT DISTINCT ON (version_id) version_id AS "versionId", coverage FROM ancestor ORDER BY version_id, step DESC`,
    [versionIds, ANCESTORS_MAXIMUM],
  );
  return new Map(rows.map(({ versionId, coverage }) => [versionId, commonCalls(coverage)]));
}
