/** Gives a new image content the rules of its application's last approved build, as a version of its own, in audit. */
import { type KeyObject } from 'node:crypto';
import { ProfileVersion } from '#lib/database';
import { type WaitingReason } from '#lib/jobs';
import {
  additionsOf,
  allowedNames,
  auditTerms,
  type Origins,
  parseProfile,
  type Profile,
  refusalsByName,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { APPROVED_SIBLING, LAST_APPROVED_SIBLING } from '../../profiles/stages/build-sql.js';
import { lockBuild, readVersion } from '../../profiles/stages/locked-version.js';
import { verifiedAudit, writeDecision } from '../../profiles/stages/write-decision.js';
import { releaseHeldJobs } from '../held/release-held.js';
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

const CAN_BE_HEIR = `${APPROVED_SIBLING}
  AND NOT EXISTS (SELECT FROM profile_version AS own WHERE own.build_id = build.id AND own.state = 'APPROVED')
  AND EXISTS (SELECT FROM application WHERE application.id = build.application_id AND application.on_new_build = 'inherit')`;

/**
 * 'inherited', or 'declined' where a person decided against these very rules for this build: its jobs wait for one to be
 * approved. Undefined where there is nothing to inherit any more, or its approval does not verify.
 */
export async function inherit(
  manager: EntityManager,
  signingKey: KeyObject,
  buildId: string,
): Promise<'inherited' | 'declined' | undefined> {
  await lockBuild(manager, buildId);
  const rows: { sourceId: string }[] = await manager.query(
    `SELECT (SELECT version.id ${LAST_APPROVED_SIBLING}) AS "sourceId" FROM build WHERE build.id = $1 AND ${CAN_BE_HEIR}`,
    [buildId],
  );
  const source = rows[0] && (await manager.findOneBy(ProfileVersion, { id: rows[0].sourceId, state: 'APPROVED' }));
  const approved = source && (await readVersion(manager, source.id));
  if (!approved || verifiedAudit(signingKey, approved) === undefined) return undefined;
  const known = await manager.findOneBy(ProfileVersion, { buildId, digest: source.digest });
  if (known?.state === 'REJECTED' || known?.state === 'REVOKED') {
    await leaveToPerson(manager, buildId);
    return 'declined';
  }
  const id = known?.id ?? (await insertHeir(manager, buildId, source));
  const version = await readVersion(manager, id);
  if (!version) throw new Error(`the version ${id} is gone`);
  await manager.update(ProfileVersion, { id }, { inheritedFrom: source.id });
  await writeDecision(manager, signingKey, version, {
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

async function insertHeir(manager: EntityManager, buildId: string, source: ProfileVersion): Promise<string> {
  const profile = parseProfile(source.canonical);
  const number = ((await manager.maximum(ProfileVersion, 'number', { buildId })) ?? 0) + 1;
  const { identifiers } = await manager.insert(ProfileVersion, {
    buildId,
    number,
    digest: source.digest,
    canonical: source.canonical,
    coverage: {},
    origins: inherited(profile),
    familiesVersion: source.familiesVersion,
    conditionsTaught: source.conditionsTaught,
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

async function leaveToPerson(manager: EntityManager, buildId: string): Promise<void> {
  await manager.query(
    `UPDATE job SET waiting_reason = $2 WHERE state = 'QUEUED' AND waiting_reason = $3
       AND EXISTS (SELECT FROM executor WHERE executor.job_id = job.id AND executor.build_id = $1)`,
    [buildId, FOR_A_PERSON, WAITING],
  );
}
