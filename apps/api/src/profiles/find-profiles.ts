/** Reads the profile versions of a tenant. */
import { Approval, ProfileVersion } from '#lib/database';
import {
  allowedNames,
  DEFAULT_CEILING,
  derivations,
  FAMILIES_VERSION,
  lintProfile,
  parseProfile,
  parseStatement,
  type Profile,
} from '#lib/profiles';
import { type EntityManager, In } from 'typeorm';
import { type z } from 'zod';
import { PorinError } from '../errors/porin-error.js';
import { learningOf } from './find-learning.js';
import { recordingsOf } from './review/version-recordings.js';
import { type profileDetail, type ProfileListQuery, type profileSummary } from './profile-answers.js';

type Summary = z.input<typeof profileSummary>;

/** Newest first. */
export function listProfiles(manager: EntityManager, tenant: string, query: ProfileListQuery): Promise<Summary[]> {
  return manager.query(
    `SELECT version.id, application.id AS "applicationId", application.name AS "applicationName", build.id AS "buildId",
       build.content_digest AS "contentDigest", build.architecture, version.number, version.digest, version.state,
       version.based_on AS "basedOn", version.created_at AS "createdAt", version.decided_at AS "decidedAt",
       version.review_since AS "reviewSince",
       version.proposed_by AS "proposedBy", version.addition_classes AS "additionClasses",
       (SELECT count(DISTINCT call.name)::int
        FROM jsonb_array_elements(version.canonical::jsonb->'rules') AS rule(json),
          jsonb_array_elements_text(rule.json->'names') AS call(name)
        WHERE rule.json->>'action' = 'SCMP_ACT_ALLOW') AS calls,
       (SELECT count(*)::int FROM profile_version_recording AS link WHERE link.profile_version_id = version.id) AS recordings
     FROM profile_version AS version JOIN build ON build.id = version.build_id
     JOIN application ON application.id = build.application_id
     WHERE application.tenant = $1 AND ($2::uuid IS NULL OR application.id = $2) AND ($3::text IS NULL OR version.state = $3)
       AND ($6::text IS NULL OR application.name = $6) AND ($7::text IS NULL OR $7 = ANY (version.addition_classes))
       AND ($8::text IS NULL OR version.review_since IS NOT NULL)
       AND ($4::uuid IS NULL OR (version.created_at, version.id) < (SELECT created_at, id FROM profile_version WHERE id = $4))
     ORDER BY version.created_at DESC, version.id DESC LIMIT $5`,
    [
      ...[tenant, query.applicationId ?? null, query.state ?? null, query.after ?? null, query.limit],
      ...[query.application ?? null, query.class ?? null, query.review ?? null],
    ],
  );
}

/** Throws not-found, for another tenant's version too. */
export async function findVersion(manager: EntityManager, tenant: string, id: string): Promise<ProfileVersion> {
  const version = await manager
    .createQueryBuilder(ProfileVersion, 'version')
    .innerJoin('build', 'build', 'build.id = version.build_id')
    .innerJoin('application', 'application', 'application.id = build.application_id')
    .where('version.id = :id AND application.tenant = :tenant', { id, tenant })
    .getOne();
  if (!version) throw new PorinError('not-found', `There is no profile version ${id}.`);
  return version;
}

export async function describeProfile(
  manager: EntityManager,
  tenant: string,
  id: string,
  beyondDefault: readonly string[],
): Promise<z.input<typeof profileDetail>> {
  const version = await findVersion(manager, tenant, id);
  const build: Pick<Summary, 'applicationId' | 'applicationName' | 'contentDigest' | 'architecture'>[] =
    await manager.query(
      `SELECT application.id AS "applicationId", application.name AS "applicationName",
         build.content_digest AS "contentDigest", build.architecture
       FROM build JOIN application ON application.id = build.application_id WHERE build.id = $1`,
      [version.buildId],
    );
  const recordings: { executorRunId: string; digest: string; jobId: string | null }[] = await manager.query(
    `SELECT link.executor_run_id AS "executorRunId", link.recording_digest AS digest, run.job_id AS "jobId"
     FROM profile_version_recording AS link LEFT JOIN executor_run AS run ON run.id = link.executor_run_id
     WHERE link.profile_version_id = $1 ORDER BY run.started_at, link.executor_run_id`,
    [id],
  );
  const decisions = await manager.find(Approval, { where: { profileVersionId: id }, order: { sequence: 'ASC' } });
  const profile = parseProfile(version.canonical);
  const learning = (await learningOf(manager, [version.buildId])).get(version.buildId);
  if (!learning) throw new Error(`the build ${version.buildId} is gone`);
  return {
    ...version,
    learning,
    promotion: learning.stage?.profileId === id ? learning.stage.promotion : null,
    familiesCurrent: version.familiesVersion === null || version.familiesVersion >= FAMILIES_VERSION,
    ...(build[0] as (typeof build)[number]),
    calls: allowedNames(profile).length,
    profile,
    lint: lintProfile(profile, version.coverage, DEFAULT_CEILING, beyondDefault),
    derivations: derivations(await recordingsOf(manager, version, profile.architecture)),
    recordings,
    decisions: decisions.map((decision) => ({
      ...decision,
      sequence: Number(decision.sequence),
      keyId: parseStatement(decision.statement)?.keyId ?? null,
      resignedFrom: decision.resignedFrom === null ? null : Number(decision.resignedFrom),
    })),
  };
}

/** What a reviewer compares with: the version it is based on, else the one before it; null for a build's first. */
export async function findPrevious(
  manager: EntityManager,
  version: ProfileVersion,
): Promise<{ id: string; profile: Profile } | null> {
  const rows: { id: string; canonical: string }[] = await manager.query(
    `SELECT id, canonical FROM profile_version WHERE build_id = $1 AND (id = $2 OR number < $3)
     ORDER BY (id = $2) DESC NULLS LAST, number DESC LIMIT 1`,
    [version.buildId, version.basedOn, version.number],
  );
  const [previous] = rows;
  return previous ? { id: previous.id, profile: parseProfile(previous.canonical) } : null;
}

/**
 * What has been approved already of what the version allows: the version that it is based on, or of another build, whose
 * rules it took over. Null where there is none, or where it was revoked: then the version adds all that it has.
 */
export async function findBase(
  manager: EntityManager,
  { basedOn, inheritedFrom }: Pick<ProfileVersion, 'basedOn' | 'inheritedFrom'>,
): Promise<{ id: string; profile: Profile } | null> {
  const id = basedOn ?? inheritedFrom;
  const base =
    id === null ? null : await manager.findOneBy(ProfileVersion, { id, state: In(['APPROVED', 'SUPERSEDED']) });
  return base && { id: base.id, profile: parseProfile(base.canonical) };
}
