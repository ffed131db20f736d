/** What people decide about a profile version: exactly the digest that was reviewed, signed, in one transaction. */
import {
  additionsOf,
  type ApprovalKeys,
  type ApprovalStage,
  auditTerms,
  needsReason,
  parseProfile,
  type ProfileState,
  type Stage,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type Caller } from '../../auth/caller.js';
import {
  countingStatement,
  endJobsOf,
  type LockedVersion,
  lockVersion,
  proposeAgainForWaiting,
  releaseHeldJobs,
  requireIntegrity,
  uncompilable,
  writeDecision,
} from '#lib/store';
import { PorinError } from '../../errors/porin-error.js';
import { findBase } from '../find-profiles.js';
import { fourEyes } from './four-eyes.js';

export interface Decision {
  readonly kind: ApprovalStage;
  /** With an approval: what it starts with. */
  readonly startsWith?: Stage;
  /** Of the profile that the reviewer has seen. */
  readonly digest: string;
  readonly reason: string;
}

const FROM: Readonly<Record<ApprovalStage, ProfileState>> = {
  approved: 'PROPOSED',
  rejected: 'PROPOSED',
  revoked: 'APPROVED',
};

/**
 * Throws not-found, stale-digest, wrong-profile-state, reason-required, four-eyes, profile-uncompilable, and
 * profile-integrity when the row was changed by hand.
 */
export async function decideProfile(
  manager: EntityManager,
  keys: ApprovalKeys,
  caller: Caller,
  id: string,
  decision: Decision,
): Promise<void> {
  const { kind, startsWith = 'audit', reason } = decision;
  const version = await lockReviewed(manager, caller.tenant, id, decision.digest);
  await requireReason(manager, version, reason);
  if (kind === 'approved') {
    await requireFourEyes(manager, caller, version);
    requireCompilable(version);
  }
  const from = kind === 'approved' && (await mayApproveAgain(manager, keys, version)) ? 'APPROVED' : FROM[kind];
  const decided = { from, reason, by: { principalId: caller.principalId } };
  const audit = startsWith === 'audit' ? auditTerms(version, new Date()) : null;
  await writeDecision(manager, keys, version, kind === 'approved' ? { ...decided, kind, audit } : { ...decided, kind });
  if (kind === 'rejected') {
    await endJobsOf(manager, id, reason);
    await proposeAgainForWaiting(manager, version.buildId);
  }
  await releaseHeldJobs(manager);
}

export interface StageChange {
  readonly stage: Stage;
  readonly digest: string;
  readonly reason: string;
}

/**
 * Puts an approved version into another stage, or starts its audit anew, by a statement of its own. Throws not-found,
 * stale-digest, wrong-profile-state, four-eyes, profile-integrity.
 */
export async function changeStage(
  manager: EntityManager,
  keys: ApprovalKeys,
  caller: Caller,
  id: string,
  { stage, digest, reason }: StageChange,
): Promise<void> {
  const version = await lockReviewed(manager, caller.tenant, id, digest);
  if (await mayApproveAgain(manager, keys, version)) {
    await requireReason(manager, version, reason);
    requireCompilable(version);
  }
  await requireFourEyes(manager, caller, version);
  // Whose rules they are, a new audit does not change.
  const inherited = version.auditTerms?.inherited ?? false;
  const audit = stage === 'audit' ? auditTerms(version, new Date(), inherited) : null;
  await writeDecision(manager, keys, version, {
    kind: 'approved',
    from: 'APPROVED',
    audit,
    reason,
    by: { principalId: caller.principalId },
  });
  await releaseHeldJobs(manager);
}

async function requireFourEyes(manager: EntityManager, caller: Caller, version: LockedVersion): Promise<void> {
  const { objection } = await fourEyes(manager, caller, version);
  if (objection !== null) throw new PorinError('four-eyes', objection);
}

async function requireReason(manager: EntityManager, version: LockedVersion, reason: string): Promise<void> {
  if (reason !== '') return;
  const base = await findBase(manager, version);
  if (needsReason(additionsOf(parseProfile(version.canonical), base?.profile ?? null))) {
    throw new PorinError('reason-required', 'It adds authority to what was allowed before: say why you decide so.');
  }
}

/**
 * An approved version whose approval does not verify any more, or was left for review, is enforced nowhere: the key changed, or
 * somebody changed the row. A person may approve the same rules again, by their digest.
 */
async function mayApproveAgain(manager: EntityManager, keys: ApprovalKeys, version: LockedVersion): Promise<boolean> {
  return version.state === 'APPROVED' && (await countingStatement(manager, keys, version)) === undefined;
}

/** What no worker can enforce would stop every job of the build. */
function requireCompilable({ id, canonical }: LockedVersion): void {
  const problem = uncompilable(parseProfile(canonical));
  if (problem === null) return;
  throw PorinError.of('profile-uncompilable', { profile: `profile version ${id}`, detail: problem });
}

/** Exactly the version that was reviewed. Throws not-found, stale-digest, profile-integrity. */
async function lockReviewed(
  manager: EntityManager,
  tenant: string,
  id: string,
  digest: string,
): Promise<LockedVersion> {
  const version = await lockVersion(manager, id);
  if (version?.tenant !== tenant) throw new PorinError('not-found', `There is no profile version ${id}.`);
  if (digest !== version.digest) {
    throw new PorinError('stale-digest', `The digest of this profile version is ${version.digest}. Review it anew.`);
  }
  requireIntegrity(version);
  return version;
}
