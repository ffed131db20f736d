/** Signs every approval that still counts anew, by the current key, and leaves the others for a person to decide again. */
import { Approval, Audit, ProfileVersion } from '#lib/database';
import { type ApprovalKeys, type ApprovalStatement, parseStatement, signWith } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import {
  countingIn,
  issueList,
  type LockedVersion,
  lockLists,
  nextSequence,
  readVersion,
  releaseHeldJobs,
  startListAnew,
} from '#lib/store';

/** A position in the sequence of decisions, or a time: decisions from there on may be somebody else's. */
export type CompromisedSince = number | Date;

export interface ResignOptions {
  readonly compromisedSince?: CompromisedSince;
  /** The list of approvals is of a key that nobody has any more: nothing that was signed so far counts. */
  readonly isKeyLost?: boolean;
}

export interface Resigned {
  readonly signed: number;
  readonly review: readonly { readonly id: string; readonly number: number; readonly why: string }[];
}

const ACTOR = 'command line';

/**
 * One transaction, so that no worker ever sees half of it. Afterwards no statement from before counts, whichever key signed it.
 * Throws profile-integrity where the list of approvals does not verify and the key is not lost.
 */
export async function resign(
  manager: EntityManager,
  keys: ApprovalKeys,
  { compromisedSince, isKeyLost = false }: ResignOptions,
): Promise<Resigned> {
  // Builds before lists, as every decision does.
  await manager.query('SELECT FROM build ORDER BY id FOR NO KEY UPDATE');
  await lockLists(manager);
  const list = await (isKeyLost ? startListAnew(manager, keys) : issueList(manager, keys));
  const rows: { id: string }[] = await manager.query(
    `SELECT id FROM profile_version WHERE state = 'APPROVED' ORDER BY decided_at, id`,
  );
  const review: { id: string; number: number; why: string }[] = [];
  const found: Found[] = [];
  for (const { id } of rows) {
    const version = await readVersion(manager, id);
    if (!version) continue;
    const looked = await lookAt(manager, version, countingIn(list, keys, version), compromisedSince);
    if (typeof looked === 'object') {
      found.push(looked);
      continue;
    }
    review.push({ id, number: version.number, why: looked });
    await leaveForReview(manager, version, looked);
  }
  const floor = await nextSequence(manager);
  for (const each of found) await signAnew(manager, keys, each);
  await issueList(manager, keys, () => ({ floor, builds: {} }));
  // An approval that verifies again is one that builds may inherit by.
  await manager.query('UPDATE build SET inheritance_failed_at = NULL WHERE inheritance_failed_at IS NOT NULL');
  await releaseHeldJobs(manager);
  return { signed: found.length, review };
}

interface Found {
  readonly version: LockedVersion;
  readonly statement: ApprovalStatement;
  /** The row that the statement was written with. */
  readonly decision: Pick<Approval, 'decidedBy' | 'rule' | 'reason' | 'resignedFrom'>;
}

/** Why a person must look again, in words, where it is not to be signed anew. */
async function lookAt(
  manager: EntityManager,
  version: LockedVersion,
  statement: ApprovalStatement | undefined,
  since: CompromisedSince | undefined,
): Promise<Found | string> {
  if (!statement) return 'its approval does not verify by a trusted key, or was withdrawn';
  const sequence = String(statement.sequence);
  const decision = await manager.findOneBy(Approval, { profileVersionId: version.id, sequence });
  if (decision?.signature !== version.signature || decision?.statement !== version.statement)
    return 'its approval is not among the decisions of this service';
  const original = decision.resignedFrom
    ? await manager.findOneBy(Approval, { profileVersionId: version.id, sequence: decision.resignedFrom })
    : decision;
  if (!original || !isRepeatedBy(original, decision)) return 'it repeats no decision about this version';
  if (await isOverruled(manager, version, original)) return 'a later decision took its place';
  if (!isSince(original, since)) return { version, statement, decision };
  return `it was approved as decision ${decision.resignedFrom ?? sequence}, when the key may have been somebody else's`;
}

function isSince({ sequence, createdAt }: Approval, since: CompromisedSince | undefined): boolean {
  if (since === undefined) return false;
  return typeof since === 'number' ? Number(sequence) >= since : createdAt >= since;
}

/** Whether the two say the same, but for the number and the key. */
function isRepeatedBy(original: Approval, decision: Approval): boolean {
  const [one, other] = [original, decision].map(({ statement }) => {
    const { sequence: _sequence, keyId: _keyId, ...said } = parseStatement(statement) ?? {};
    return JSON.stringify(Object.entries(said).sort());
  });
  return one === other;
}

/**
 * Whether a person or a rule decided about the build since, other than by signing this decision anew. Decisions are written
 * once and in their order, which even an API that was taken over cannot change.
 */
async function isOverruled(manager: EntityManager, { id, buildId }: LockedVersion, { sequence }: Approval) {
  const later: unknown[] = await manager.query(
    `SELECT FROM approval JOIN profile_version AS version ON version.id = approval.profile_version_id
     WHERE version.build_id = $1 AND approval.sequence > $3 AND approval.resigned_from IS DISTINCT FROM $3
       AND (approval.stage = 'approved' OR (approval.stage = 'revoked' AND version.id = $2)) LIMIT 1`,
    [buildId, id, sequence],
  );
  return later.length > 0;
}

/** The same decision: nobody has decided anew. */
async function signAnew(manager: EntityManager, keys: ApprovalKeys, { version, statement, decision }: Found) {
  const { id, tenant, digest } = version;
  const sequence = await nextSequence(manager);
  const signed = signWith(keys, { ...statement, sequence });
  await manager.update(ProfileVersion, { id, state: 'APPROVED' }, { ...signed, reviewSince: null });
  const { decidedBy, rule, reason, resignedFrom } = decision;
  const before = String(statement.sequence);
  await manager.insert(Approval, {
    ...{ profileVersionId: id, stage: 'approved', sequence: String(sequence), decidedBy, rule, reason, ...signed },
    resignedFrom: resignedFrom ?? before,
  });
  const detail = { digest, sequence, before: statement.sequence, keyId: keys.signingId };
  await manager.insert(Audit, audit(tenant, 'profile.resigned', id, detail));
}

async function leaveForReview(manager: EntityManager, { id, tenant, digest }: LockedVersion, why: string) {
  await manager.query('UPDATE profile_version SET review_since = coalesce(review_since, now()) WHERE id = $1', [id]);
  await manager.insert(Audit, audit(tenant, 'profile.review', id, { digest, why }));
}

function audit(tenant: string, action: string, id: string, detail: Record<string, string | number>) {
  return { tenant, actor: ACTOR, action, subjectType: 'profile_version', subjectId: id, detail };
}
