/**
 * The signed list of which approvals still count: for each build the least sequence of a statement that does. Approvals and
 * revocations go by one sequence, and the list takes its number from it too, so a list that is older than a statement shows.
 */
import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import { type ApprovalStatement, type ApprovalSubject } from './approval.js';
import { type ApprovalKeys, requireEd25519, type TrustedKeys } from './approval-key.js';
import { canonicalJson } from './canonical-json.js';

export interface ApprovalList {
  /** Position in the sequence of all decisions: every statement that the list knows of has a lower one. */
  readonly number: number;
  /** ISO 8601. */
  readonly issuedAt: string;
  readonly keyId: string;
  /** Statements with a lower sequence approve nothing, whatever build they are of. */
  readonly floor: number;
  /** By buildKey: statements with a lower sequence approve nothing of that build. */
  readonly builds: Readonly<Record<string, number>>;
}

export interface SignedList {
  /** Canonical. */
  readonly text: string;
  readonly signature: string;
}

/** Bytes; some 300,000 builds. Signing everything anew empties the list of what the floor covers. */
export const APPROVAL_LIST_MAXIMUM_BYTES = 16 * 1024 ** 2;

const DOMAIN = 'porin approval list v1\n';
const BUILD_KEY = /^[0-9a-f]{32}$/;

/** Names a build in lists: 32 hexadecimal digits. */
export function buildKey({
  application,
  contentDigest,
  architecture,
}: Pick<ApprovalSubject, 'application' | 'contentDigest' | 'architecture'>): string {
  const text = canonicalJson({ application, contentDigest, architecture });
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 32);
}

/** The least sequence that counts for a build. */
export function leastSequence({ floor, builds }: Pick<ApprovalList, 'floor' | 'builds'>, key: string): number {
  return Math.max(floor, Object.hasOwn(builds, key) ? (builds[key] ?? 0) : 0);
}

export type ApprovalStanding =
  | 'current'
  /** Superseded, revoked, or from before everything was signed anew. */
  | 'withdrawn'
  /** Signed after the list was: somebody put an older list back. */
  | 'unknown-to-the-list';

/** How a statement stands that verifies. */
export function standingIn(
  list: ApprovalList,
  statement: Pick<ApprovalStatement, 'application' | 'contentDigest' | 'architecture' | 'sequence'>,
): ApprovalStanding {
  if (statement.sequence > list.number) return 'unknown-to-the-list';
  return statement.sequence < leastSequence(list, buildKey(statement)) ? 'withdrawn' : 'current';
}

/** Whether the list counts as withdrawn everything that the other one did: no honest list ever forgets. */
export function forgetsNothingOf(list: ApprovalList, earlier: ApprovalList): boolean {
  return (
    list.floor >= earlier.floor &&
    Object.keys(earlier.builds).every((key) => leastSequence(list, key) >= leastSequence(earlier, key))
  );
}

export function signList({ signing, signingId }: ApprovalKeys, list: Omit<ApprovalList, 'keyId'>): SignedList {
  const text = canonicalList({ ...list, keyId: signingId });
  return { text, signature: sign(null, signedBytes(text), signing).toString('base64') };
}

/** The list, if one of the keys signed exactly this text; null otherwise. */
export function verifyList(trusted: TrustedKeys, { text, signature }: SignedList): ApprovalList | null {
  const list = parseList(text);
  const key = list && trusted.get(list.keyId);
  return key && isSignedBy(key, text, signature) ? list : null;
}

function isSignedBy(key: KeyObject, text: string, signature: string): boolean {
  requireEd25519(key, 'public');
  return verify(null, signedBytes(text), key, Buffer.from(signature, 'base64'));
}

function canonicalList({ number, issuedAt, keyId, floor, builds }: ApprovalList): string {
  return canonicalJson({ number, issuedAt, keyId, floor, builds: { ...builds } });
}

/** Null for what is no list in its canonical text. Nothing is verified: see verifyList. */
export function parseList(text: string): ApprovalList | null {
  if (text.length > APPROVAL_LIST_MAXIMUM_BYTES) return null;
  try {
    const list = JSON.parse(text) as ApprovalList;
    return isWellFormed(list) && canonicalList(list) === text ? list : null;
  } catch {
    return null;
  }
}

function isWellFormed({ number, floor, builds, issuedAt, keyId }: ApprovalList): boolean {
  const isPosition = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  return (
    [number, floor].every(isPosition) &&
    typeof issuedAt === 'string' &&
    typeof keyId === 'string' &&
    Object.entries(builds).every(([key, sequence]) => BUILD_KEY.test(key) && isPosition(sequence))
  );
}

function signedBytes(text: string): Buffer {
  return Buffer.from(DOMAIN + text, 'utf8');
}
