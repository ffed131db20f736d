/** Signs a decision about a profile version and writes it: the version's state and stage, the decision, the audit trail. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { Approval, Audit, ProfileVersion } from '#lib/database';
import {
  type ApprovalStage,
  type AuditTerms,
  canonicalStatement,
  type DecidingRule,
  type ProfileState,
  sha256,
  signStatement,
  verifyApproval,
} from '#lib/profiles';
import { type EntityManager, Not } from 'typeorm';
import { PorinError } from '../../errors/porin-error.js';
import { type LockedVersion } from './locked-version.js';

interface Decided {
  readonly from: ProfileState;
  readonly reason: string;
  /** The API key of a person, or the rule that decides in a person's place. */
  readonly by: { readonly keyId: string } | { readonly rule: DecidingRule };
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
  signingKey: KeyObject,
  version: LockedVersion,
  decision: WrittenDecision,
): Promise<void> {
  const { kind, from, reason, by } = decision;
  const { id, buildId, digest } = version;
  if (kind === 'approved') requireIntegrity(version);
  const now = new Date();
  const audit = decision.kind === 'approved' ? decision.audit : null;
  const sequence = await nextSequence(manager);
  const signed = {
    application: version.applicationId,
    contentDigest: version.contentDigest,
    architecture: version.architecture,
    profileDigest: digest,
    stage: kind,
    sequence,
    ...(audit && { audit }),
    ...('rule' in by && { rule: by.rule }),
  };
  const statement = canonicalStatement(signed);
  const signature = signStatement(signingKey, signed);
  const unstaged = { stage: null, auditTerms: null, stageSince: null, auditOver: false };
  if (kind === 'approved' && from !== 'APPROVED') {
    const superseded = { state: 'SUPERSEDED', ...unstaged } as const;
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
    { state: STATES[kind], statement, signature, decidedAt: now, ...staged },
  );
  if (affected !== 1) {
    throw new PorinError('wrong-profile-state', `Only a version in the state ${from} can be ${kind}.`);
  }
  const [decidedBy, rule] = 'rule' in by ? [null, by.rule] : [by.keyId, null];
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
  throw new PorinError('profile-integrity', 'The stored profile is not what its digest says. Look for who changed it.');
}

async function nextSequence(manager: EntityManager): Promise<number> {
  const rows: [{ value: string }] = await manager.query(`SELECT nextval('approval_sequence') AS value`);
  return Number(rows[0].value);
}

/**
 * What the signed statement of an approved version says, for a rule that goes on from it: no rule signs what rests on a row
 * that was changed by hand. Undefined where it does not verify.
 */
export function verifiedAudit(signingKey: KeyObject, version: LockedVersion): AuditTerms | null | undefined {
  const { canonical, statement, signature, applicationId: application, digest } = version;
  if (statement === null || signature === null || sha256(canonical) !== digest) return undefined;
  const { contentDigest, architecture } = version;
  const subject = { application, contentDigest, architecture, profileDigest: digest };
  const verdict = verifyApproval(createPublicKey(signingKey), { statement, signature }, subject);
  return verdict.kind === 'verified' ? verdict.audit : undefined;
}
