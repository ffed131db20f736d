/** Gives a new image content the rules of its application's last approved build, as a version of its own, in audit. */
import { ProfileVersion } from '#lib/database';
import { type WaitingReason } from '#lib/jobs';
import {
  additionsOf,
  allowedNames,
  type ApprovalKeys,
  auditTerms,
  type Origins,
  parseProfile,
  type Profile,
  refusalsByName,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import {
  APPROVED_SIBLINGS,
  LAST_SIBLING_DECIDED_AT,
  lockBuild,
  type LockedVersion,
  MAY_INHERIT,
  readVersion,
  releaseHeldJobs,
  verifiedAudit,
  writeDecision,
} from '#lib/store';
import { type Candidate } from './rule.js';

const WAITING: WaitingReason = 'waiting-for-inherited-profile';
const FOR_A_PERSON: WaitingReason = 'waiting-for-approved-profile';

/** Builds that jobs wait for, and whose application has another one to inherit from. */
export function heirs(manager: EntityManager): Promise<readonly Candidate[]> {
  return manager.query(
    `SELECT DISTINCT build.id FROM job JOIN executor ON executor.job_id = job.id JOIN build ON build.id = executor.build_id
     WHERE job.state = 'QUEUED' AND job.waiting_reason = $1 AND ${CAN_BE_HEIR}`,
    [WAITING],
  );
}

const CAN_BE_HEIR = `${MAY_INHERIT}
  AND NOT EXISTS (SELECT FROM profile_version AS own WHERE own.build_id = build.id AND own.state = 'APPROVED')
  AND EXISTS (SELECT FROM application WHERE application.id = build.application_id AND application.on_new_build = 'inherit')`;

/** Approvals that are looked at for one that verifies. */
const SOURCES_MAXIMUM = 20;

/**
 * 'inherited', or 'unverified' where no approval that it could inherit by verifies: its jobs wait for a person. Undefined
 * where there is nothing to inherit any more, or a person decided against a version of this build.
 */
export async function inherit(
  manager: EntityManager,
  keys: ApprovalKeys,
  buildId: string,
): Promise<'inherited' | 'unverified' | undefined> {
  await lockBuild(manager, buildId);
  const rows: { sourceId: string }[] = await manager.query(
    `SELECT source.id AS "sourceId" FROM build CROSS JOIN LATERAL (SELECT version.id, version.decided_at ${APPROVED_SIBLINGS}
       LIMIT $2) AS source
     WHERE build.id = $1 AND ${CAN_BE_HEIR} ORDER BY source.decided_at DESC NULLS LAST, source.id`,
    [buildId, SOURCES_MAXIMUM],
  );
  if (rows.length === 0) return undefined;
  const source = await firstVerified(
    manager,
    keys,
    rows.map(({ sourceId }) => sourceId),
  );
  if (!source) {
    await leaveToPerson(manager, buildId);
    return 'unverified';
  }
  const known = await manager.findOneBy(ProfileVersion, { buildId, digest: source.digest });
  const id = known?.id ?? (await insertHeir(manager, buildId, source));
  const version = await readVersion(manager, id);
  if (!version) throw new Error(`the version ${id} is gone`);
  await manager.update(ProfileVersion, { id }, { inheritedFrom: source.id });
  await writeDecision(manager, keys, version, {
    kind: 'approved',
    from: version.state,
    audit: auditTerms(version, new Date(), true),
    reason: `the rules of version ${source.number} of the build ${source.buildId}`,
    by: { rule: 'inheritance' },
  });
  // What was learned of it so far is an addition to these rules now.
  await manager.query('UPDATE build SET reconsider_since = coalesce(reconsider_since, now()) WHERE id = $1', [buildId]);
  await releaseHeldJobs(manager);
  return 'inherited';
}

async function firstVerified(
  manager: EntityManager,
  keys: ApprovalKeys,
  ids: readonly string[],
): Promise<LockedVersion | undefined> {
  for (const id of ids) {
    const version = await readVersion(manager, id);
    if (version?.state === 'APPROVED' && (await verifiedAudit(manager, keys, version)) !== undefined) return version;
  }
  return undefined;
}

async function insertHeir(manager: EntityManager, buildId: string, source: LockedVersion): Promise<string> {
  const profile = parseProfile(source.canonical);
  const { familiesVersion, conditionsTaught } = await manager.findOneByOrFail(ProfileVersion, { id: source.id });
  const number = ((await manager.maximum(ProfileVersion, 'number', { buildId })) ?? 0) + 1;
  const { identifiers } = await manager.insert(ProfileVersion, {
    buildId,
    number,
    digest: source.digest,
    canonical: source.canonical,
    coverage: {},
    origins: inherited(profile),
    familiesVersion,
    conditionsTaught,
    additionClasses: [...additionsOf(profile, null).classes],
    // A proposal that is there stays: nobody has decided about it.
    state: 'SUPERSEDED',
  });
  return (identifiers[0] as { id: string }).id;
}

function inherited(profile: Profile): Origins {
  const names = [...allowedNames(profile), ...refusalsByName(profile.rules).keys()].sort();
  return Object.fromEntries(names.map((name) => [name, { origin: 'inherited' }]));
}

/** Until another approval is there; in one transaction, so that no job is queued again for the mark. */
async function leaveToPerson(manager: EntityManager, buildId: string): Promise<void> {
  await manager.query(
    `UPDATE build SET inheritance_failed_at = coalesce(${LAST_SIBLING_DECIDED_AT}, now()) WHERE id = $1`,
    [buildId],
  );
  await manager.query(
    `UPDATE job SET waiting_reason = $2 WHERE state = 'QUEUED' AND waiting_reason = $3
       AND EXISTS (SELECT FROM executor WHERE executor.job_id = job.id AND executor.build_id = $1)`,
    [buildId, FOR_A_PERSON, WAITING],
  );
}
