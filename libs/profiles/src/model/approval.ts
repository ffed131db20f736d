/** The statement that an approval signs, and its Ed25519 signature: what the worker checks before it enforces anything. */
import { type KeyObject, sign, verify } from 'node:crypto';
import { type ApprovalKeys, requireEd25519, type TrustedKeys } from './approval-key.js';
import { canonicalJson } from './canonical-json.js';
import { type AuditTerms } from '../stages/stage.js';
import { type Architecture } from './profile.js';

export const APPROVAL_STAGES = ['approved', 'rejected', 'revoked'] as const;
export type ApprovalStage = (typeof APPROVAL_STAGES)[number];

/** Rules that decide in a person's place, each because an administrator lets it. */
export const DECIDING_RULES = ['promotion', 'auto-approve', 'inheritance'] as const;
export type DecidingRule = (typeof DECIDING_RULES)[number];

export interface ApprovalStatement {
  /** Id of the application. */
  readonly application: string;
  readonly contentDigest: string;
  readonly architecture: Architecture;
  readonly profileDigest: string;
  readonly stage: ApprovalStage;
  /** Position among all decisions of this service; of two statements the later one counts. */
  readonly sequence: number;
  /** With `approved` alone: it starts in audit, on these terms. Absent: it is enforced. */
  readonly audit?: AuditTerms;
  /** What decided; absent: a person. */
  readonly rule?: DecidingRule;
  /** Of the key that signed it, see keyIdOf; absent in statements from before keys had ids. */
  readonly keyId?: string;
}

/** Keeps the signature from being taken for one over anything else that the key may ever sign. */
const DOMAIN = 'porin approval statement v1\n';

export function canonicalStatement(statement: ApprovalStatement): string {
  return canonicalJson({
    application: statement.application,
    contentDigest: statement.contentDigest,
    architecture: statement.architecture,
    profileDigest: statement.profileDigest,
    stage: statement.stage,
    sequence: statement.sequence,
    ...(statement.audit && { audit: { ...statement.audit } }),
    ...(statement.rule && { rule: statement.rule }),
    ...(statement.keyId !== undefined && { keyId: statement.keyId }),
  });
}

/** A signed statement: what is stored, and what a worker verifies. */
export interface SignedStatement {
  /** Canonical. */
  readonly statement: string;
  /** Base64. */
  readonly signature: string;
}

/** Names the key in the statement. */
export function signWith({ signing, signingId }: ApprovalKeys, unsigned: ApprovalStatement): SignedStatement {
  const statement = { ...unsigned, keyId: signingId };
  return { statement: canonicalStatement(statement), signature: signStatement(signing, statement) };
}

/** Base64. @throws TypeError when the key is not an Ed25519 private key */
export function signStatement(privateKey: KeyObject, statement: ApprovalStatement): string {
  requireEd25519(privateKey, 'private');
  return sign(null, signedBytes(statement), privateKey).toString('base64');
}

/**
 * Whether the signature is one of the key over exactly this statement.
 * @throws TypeError when the key is not an Ed25519 public key
 */
export function verifyStatement(publicKey: KeyObject, statement: ApprovalStatement, signature: string): boolean {
  requireEd25519(publicKey, 'public');
  return verify(null, signedBytes(statement), publicKey, Buffer.from(signature, 'base64'));
}

/** What is about to be enforced: ids and digests from the job, the image and the profile's own text. */
export type ApprovalSubject = Pick<
  ApprovalStatement,
  'application' | 'contentDigest' | 'architecture' | 'profileDigest'
>;

export type ApprovalVerdict =
  | {
      readonly kind: 'verified';
      readonly audit: AuditTerms | null;
      /** Whether it still counts is for the list of approvals to say: see standingIn. */
      readonly statement: ApprovalStatement;
    }
  | { readonly kind: 'bad-signature' }
  | { readonly kind: 'other-subject' };

/** The statement, if a trusted key signed exactly this text; null otherwise. One without a key id may be of any of the keys. */
export function verifySigned(
  trusted: TrustedKeys,
  { statement: text, signature }: SignedStatement,
): ApprovalStatement | null {
  const statement = parseStatement(text);
  if (statement === null) return null;
  const named = statement.keyId === undefined ? [...trusted.values()] : [trusted.get(statement.keyId)];
  return named.some((key) => key && verifyStatement(key, statement, signature)) ? statement : null;
}

/**
 * Whether a stored statement approves exactly this subject, by a trusted key, and whether it starts in audit. The subject must be
 * computed, never read from beside the statement: then neither a changed profile nor an approval moved to another build passes.
 */
export function verifyApproval(
  trusted: TrustedKeys,
  approval: SignedStatement,
  subject: ApprovalSubject,
): ApprovalVerdict {
  const statement = verifySigned(trusted, approval);
  if (statement === null) return { kind: 'bad-signature' };
  const expected = canonicalStatement({ ...statement, ...pickSubject(subject), stage: 'approved' });
  return expected === approval.statement
    ? { kind: 'verified', audit: statement.audit ?? null, statement }
    : { kind: 'other-subject' };
}

function pickSubject({ application, contentDigest, architecture, profileDigest }: ApprovalSubject): ApprovalSubject {
  return { application, contentDigest, architecture, profileDigest };
}

/** The statement in its canonical text; null unless the text is canonical. */
export function parseStatement(text: string): ApprovalStatement | null {
  try {
    const statement = JSON.parse(text) as ApprovalStatement;
    // Equal texts mean equal members, none missing and none more; the signature vouches for their types.
    return canonicalStatement(statement) === text ? statement : null;
  } catch {
    return null;
  }
}

function signedBytes(statement: ApprovalStatement): Buffer {
  return Buffer.from(DOMAIN + canonicalStatement(statement), 'utf8');
}
