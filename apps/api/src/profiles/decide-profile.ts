/** Approves, rejects or revokes a profile version: exactly the digest that was reviewed, signed, in one transaction. */
import { type KeyObject } from 'node:crypto';
import { Approval, Audit, ProfileVersion } from '#lib/database';
import {
  additionsOf,
  type ApprovalStage,
  type Architecture,
  auditTerms,
  canonicalStatement,
  needsReason,
  parseProfile,
  type ProfileState,
  sha256,
  signStatement,
  type Stage,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type Caller } from '../auth/caller.js';
import { releaseHeldJobs } from '../dispatch/held/release-held.js';
import { PorinError } from '../errors/porin-error.js';
import { uncompilable } from './compile-problem.js';
import { findBase } from './find-profiles.js';
import { fourEyes } from './four-eyes.js';

export interface Decision {
  readonly kind: ApprovalStage;
  /** With an approval: what it starts with. */
  readonly startsWith?: Stage;
  /** Of the profile that the reviewer has seen. */
  readonly digest: string;
  readonly reason: string;
}

const TRANSITION: Readonly<Record<ApprovalStage, { readonly from: ProfileState; readonly to: ProfileState }>> = {
  approved: { from: 'PROPOSED', to: 'APPROVED' },
  rejected: { from: 'PROPOSED', to: 'REJECTED' },
  revoked: { from: 'APPROVED', to: 'REVOKED' },
};

interface VersionRow {
  readonly id: string;
  readonly buildId: string;
  readonly applicationId: string;
  readonly contentDigest: string;
  readonly architecture: Architecture;
  readonly digest: string;
  readonly canonical: string;
  readonly basedOn: string | null;
  readonly inheritedFrom: string | null;
  readonly proposedBy: string | null;
  /** Of its application. */
  readonly quietRuns: number;
  readonly inputs: number;
}

/**
 * Throws not-found, stale-digest, wrong-profile-state, reason-required, four-eyes, profile-uncompilable, and
 * profile-integrity when the row was changed by hand.
 */
export async function decideProfile(
  manager: EntityManager,
  signingKey: KeyObject,
  caller: Caller,
  id: string,
  decision: Decision,
): Promise<void> {
  const { kind: stage, startsWith = 'audit', reason } = decision;
  const version = await lockVersion(manager, caller.tenant, id);
  if (decision.digest !== version.digest) {
    throw new PorinError('stale-digest', `The digest of this profile version is ${version.digest}. Review it anew.`);
  }
  if (sha256(version.canonical) !== version.digest) {
    throw new PorinError(
      'profile-integrity',
      'The stored profile is not what its digest says. Look for who changed it.',
    );
  }
  await requireReason(manager, version, reason);
  if (stage === 'approved') {
    const { objection } = await fourEyes(manager, caller, version);
    if (objection !== null) throw new PorinError('four-eyes', objection);
    requireCompilable(version.canonical);
  }
  const { from, to } = TRANSITION[stage];
  const sequence = await nextSequence(manager);
  const now = new Date();
  const audit = stage === 'approved' && startsWith === 'audit' ? auditTerms(version, now) : null;
  const signed = {
    application: version.applicationId,
    contentDigest: version.contentDigest,
    architecture: version.architecture,
    profileDigest: version.digest,
    ...{ stage, sequence },
    ...(audit && { audit }),
  };
  const statement = canonicalStatement(signed);
  const signature = signStatement(signingKey, signed);
  if (stage === 'approved') {
    await manager.update(ProfileVersion, { buildId: version.buildId, state: 'APPROVED' }, { state: 'SUPERSEDED' });
  }
  // The approval's statement is overwritten by a revocation's: a row that is set back to APPROVED does not verify.
  const staged =
    stage === 'approved'
      ? { stage: startsWith, auditTerms: audit, stageSince: now }
      : { stage: null, auditTerms: null };
  const decided = { state: to, statement, signature, decidedAt: now, ...staged };
  const { affected } = await manager.update(ProfileVersion, { id, state: from }, decided);
  if (affected !== 1) {
    throw new PorinError('wrong-profile-state', `Only a version in the state ${from} can be ${stage}.`);
  }
  await manager.insert(Approval, {
    ...{ profileVersionId: id, stage, reason, statement, signature },
    ...{ sequence: String(sequence), decidedBy: caller.keyId },
  });
  await manager.insert(Audit, {
    ...{ tenant: caller.tenant, actor: caller.keyId, action: `profile.${stage}` },
    ...{ subjectType: 'profile_version', subjectId: id, detail: { digest: version.digest, sequence, reason } },
  });
  if (stage === 'approved') await releaseHeldJobs(manager);
}

async function requireReason(manager: EntityManager, version: VersionRow, reason: string): Promise<void> {
  if (reason !== '') return;
  const base = await findBase(manager, version);
  if (needsReason(additionsOf(parseProfile(version.canonical), base?.profile ?? null))) {
    throw new PorinError('reason-required', 'It adds authority to what was allowed before: say why you decide so.');
  }
}

/** What no worker can enforce would stop every job of the build. */
function requireCompilable(canonical: string): void {
  const problem = uncompilable(parseProfile(canonical));
  if (problem !== null) throw new PorinError('profile-uncompilable', `No filter can be made of it: ${problem}.`);
}

/** The build's lock makes decisions and proposals of one build follow one another; runs of the build start meanwhile. */
async function lockVersion(manager: EntityManager, tenant: string, id: string): Promise<VersionRow> {
  const rows: VersionRow[] = await manager.query(
    `SELECT version.id, version.based_on AS "basedOn", version.inherited_from AS "inheritedFrom",
       version.proposed_by AS "proposedBy", build.id AS "buildId", application.id AS "applicationId", build.content_digest AS "contentDigest",
       build.architecture, version.digest, version.canonical, application.quiet_runs_needed AS "quietRuns",
       application.quiet_inputs_needed AS inputs
     FROM profile_version AS version JOIN build ON build.id = version.build_id
     JOIN application ON application.id = build.application_id
     WHERE version.id = $1 AND application.tenant = $2 FOR NO KEY UPDATE OF build`,
    [id, tenant],
  );
  const [version] = rows;
  if (!version) throw new PorinError('not-found', `There is no profile version ${id}.`);
  return version;
}

async function nextSequence(manager: EntityManager): Promise<number> {
  const rows: [{ value: string }] = await manager.query(`SELECT nextval('approval_sequence') AS value`);
  return Number(rows[0].value);
}
