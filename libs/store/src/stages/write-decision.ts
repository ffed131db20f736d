/** Signs a decision about a profile version and writes it: the version's state and stage, the decision, the audit trail. */
import { Approval, Audit, ProfileVersion } from '#lib/database';
import {
  type ApprovalKeys,
  type ApprovalList,
  type ApprovalStage,
  type ApprovalStatement,
  type AuditTerms,
  type DecidingRule,
  type ProfileState,
  sha256,
  signWith,
  standingIn,
  verifyApproval,
} from '#lib/profiles';
import { type EntityManager, Not } from 'typeorm';
import { profileIntegrity, StoreError } from '../store-error.js';
import { issueList, lockLists, nextSequence, readList, withdrawing } from './approval-list.js';
import { type LockedVersion } from './locked-version.js';

interface Decided {
  readonly from: ProfileState;
  readonly reason: string;
  /** A principal, or the rule that decides in a person's place. */
  readonly by: { readonly principalId: string } | { readonly rule: DecidingRule };
}
export type WrittenDecision =
  | (Decided & {
      readonly kind: 'approved';
      /** Null: it is enforced from now on. */
      readonly audit: AuditTerms | null;
      /** Of the stage; now where absent. */
      readonly since?: Date;
      /** The audit goes on, and had its runs already. */
      readonly auditOver?: boolean;
    })
  | (Decided & { readonly kind: Exclude<ApprovalStage, 'approved'> });

const STATES: Readonly<Record<ApprovalStage, ProfileState>> = {
  approved: 'APPROVED',
  rejected: 'REJECTED',
  revoked: 'REVOKED',
};

/** The caller holds the build's lock. Throws wrong-profile-state, and profile-integrity when the row was changed by hand. */
export async function writeDecision(
  manager: EntityManager,
  keys: ApprovalKeys,
  version: LockedVersion,
  decision: WrittenDecision,
): Promise<void> {
  const { kind, from, reason, by } = decision;
  const { id, buildId, digest } = version;
  if (kind === 'approved') requireIntegrity(version);
  const now = new Date();
  const audit = decision.kind === 'approved' ? decision.audit : null;
  if (kind !== 'rejected') await lockLists(manager);
  const sequence = await nextSequence(manager);
  const { statement, signature } = signWith(keys, {
    application: version.applicationId,
    contentDigest: version.contentDigest,
    architecture: version.architecture,
    profileDigest: digest,
    stage: kind,
    sequence,
    ...(audit && { audit }),
    ...('rule' in by && { rule: by.rule }),
  });
  const unstaged = { stage: null, auditTerms: null, stageSince: null, auditOver: false };
  if (kind === 'approved' && from !== 'APPROVED') {
    const superseded = { state: 'SUPERSEDED', reviewSince: null, ...unstaged } as const;
    await manager.update(ProfileVersion, { buildId, state: 'APPROVED', id: Not(id) }, superseded);
  }
  const staged =
    decision.kind === 'approved'
      ? {
          stage: audit ? ('audit' as const) : ('enforce' as const),
          auditTerms: audit,
          stageSince: decision.since ?? now,
          auditOver: decision.auditOver ?? false,
        }
      : unstaged;
  // An approval's statement is overwritten by the next one's: a row that is set back to APPROVED does not verify.
  const { affected } = await manager.update(
    ProfileVersion,
    { id, state: from },
    { state: STATES[kind], statement, signature, decidedAt: now, reviewSince: null, ...staged },
  );
  if (affected !== 1) {
    throw new StoreError('wrong-profile-state', `Only a version in the state ${from} can be ${kind}.`);
  }
  const [decidedBy, rule] = 'rule' in by ? [null, by.rule] : [by.principalId, null];
  await manager.insert(Approval, {
    profileVersionId: id,
    stage: kind,
    sequence: String(sequence),
    decidedBy,
    rule,
    reason,
    statement,
    signature,
  });
  // After the decision, whose number must be above that of the list before.
  if (kind !== 'rejected') {
    const build = {
      application: version.applicationId,
      contentDigest: version.contentDigest,
      architecture: version.architecture,
    };
    await issueList(manager, keys, withdrawing(build, sequence));
  }
  await manager.insert(Audit, {
    tenant: version.tenant,
    actor: decidedBy ?? 'dispatcher',
    action: `profile.${kind}`,
    subjectType: 'profile_version',
    subjectId: id,
    detail: { digest, sequence, reason, ...(staged.stage && { stage: staged.stage }), ...(rule && { rule }) },
  });
}

/** Nothing is signed that is not what its digest says. Throws profile-integrity. */
export function requireIntegrity({ canonical, digest }: Pick<LockedVersion, 'canonical' | 'digest'>): void {
  if (sha256(canonical) === digest) return;
  throw profileIntegrity(`its text is not what the digest ${digest} says. Look for who changed it.`);
}

/**
 * The audit terms in the signed statement of an approved version, for a rule that decides further: no rule signs anything on
 * the ground of a row that was changed by hand. Undefined if the statement does not verify.
 */
export async function verifiedAudit(
  manager: EntityManager,
  keys: ApprovalKeys,
  version: LockedVersion,
): Promise<AuditTerms | null | undefined> {
  const statement = await countingStatement(manager, keys, version);
  return statement && (statement.audit ?? null);
}

/** The statement of an approved version, if it verifies and the list of approvals counts it. Throws profile-integrity. */
export async function countingStatement(
  manager: EntityManager,
  keys: ApprovalKeys,
  version: LockedVersion,
): Promise<ApprovalStatement | undefined> {
  return countingIn(await readList(manager, keys), keys, version);
}

/** As countingStatement, by a list that was read already. */
export function countingIn(
  list: ApprovalList | null,
  keys: ApprovalKeys,
  version: LockedVersion,
): ApprovalStatement | undefined {
  const { canonical, statement, signature, applicationId: application, digest } = version;
  if (!list || statement === null || signature === null || sha256(canonical) !== digest) return undefined;
  const { contentDigest, architecture } = version;
  const subject = { application, contentDigest, architecture, profileDigest: digest };
  const verdict = verifyApproval(keys.trusted, { statement, signature }, subject);
  if (verdict.kind !== 'verified' || standingIn(list, verdict.statement) !== 'current') return undefined;
  return verdict.statement;
}
