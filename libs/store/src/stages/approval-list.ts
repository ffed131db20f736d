/** The list of which approvals still count: read from the database, verified, and issued anew with every decision. */
import { ADVISORY_LOCKS } from '#lib/database';
import {
  type ApprovalKeys,
  type ApprovalList,
  buildKey,
  leastSequence,
  parseList,
  type SignedList,
  signList,
  verifyList,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { profileIntegrity } from '../store-error.js';

/** What a list says of approvals, without its number. */
export type Withdrawn = Pick<ApprovalList, 'floor' | 'builds'>;

export async function nextSequence(manager: EntityManager): Promise<number> {
  const rows: [{ value: string }] = await manager.query(`SELECT nextval('approval_sequence') AS value`);
  return Number(rows[0].value);
}

/** Null where there is none yet. Throws profile-integrity for a list that no trusted key signed. */
export async function readList(manager: EntityManager, keys: ApprovalKeys): Promise<ApprovalList | null> {
  const signed = await storedList(manager);
  if (!signed) return null;
  const list = verifyList(keys.trusted, signed);
  if (list) return list;
  const keyId = parseList(signed.text)?.keyId ?? 'unknown';
  throw profileIntegrity(
    `the list of approvals is not signed by a key that this service trusts (its key is ${keyId}). ` +
      'Give the service that public key by PORIN_APPROVAL_PUBLIC_KEY_FILE; if it is lost, run porin-admin resign --lost-key.',
  );
}

/**
 * Issues the next list: what the one before said, and `change`. The caller's transaction ends soon, since other decisions wait
 * for it. Throws profile-integrity.
 */
export async function issueList(
  manager: EntityManager,
  keys: ApprovalKeys,
  change: (before: Withdrawn) => Withdrawn = (before) => before,
): Promise<ApprovalList> {
  await lockLists(manager);
  const before = (await readList(manager, keys)) ?? (await withdrawnByDecisions(manager));
  return storeList(manager, keys, change(before));
}

/** As issueList, where nothing of the one before is to be believed: no statement that was signed so far counts any more. */
export async function startListAnew(manager: EntityManager, keys: ApprovalKeys): Promise<ApprovalList> {
  await lockLists(manager);
  return storeList(manager, keys, { floor: await nextSequence(manager), builds: {} });
}

/** Statements of the build below `sequence` count no more. */
export function withdrawing(build: Parameters<typeof buildKey>[0], sequence: number) {
  return ({ floor, builds }: Withdrawn): Withdrawn => ({ floor, builds: { ...builds, [buildKey(build)]: sequence } });
}

/** What either of the two counts as withdrawn. */
export function withdrawnByBoth(one: Withdrawn, other: Withdrawn): Withdrawn {
  const floor = Math.max(one.floor, other.floor);
  const keys = new Set([...Object.keys(one.builds), ...Object.keys(other.builds)]);
  const least = (key: string) => Math.max(leastSequence(one, key), leastSequence(other, key));
  return { floor, builds: Object.fromEntries([...keys].map((key) => [key, least(key)])) };
}

/** Before a sequence is taken for a statement that the next list is to count. */
export async function lockLists(manager: EntityManager): Promise<void> {
  await manager.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.approvalList]);
}

async function storedList(manager: EntityManager): Promise<SignedList | undefined> {
  const rows: SignedList[] = await manager.query(
    'SELECT text, signature FROM approval_list ORDER BY number DESC LIMIT 1',
  );
  return rows[0];
}

async function storeList(manager: EntityManager, keys: ApprovalKeys, { floor, builds }: Withdrawn) {
  const number = await nextSequence(manager);
  const kept = Object.fromEntries(Object.entries(builds).filter(([, sequence]) => sequence > floor));
  const list = { number, issuedAt: new Date().toISOString(), floor, builds: kept };
  const { text, signature } = signList(keys, list);
  await manager.query('INSERT INTO approval_list (number, text, signature) VALUES ($1, $2, $3)', [
    number,
    text,
    signature,
  ]);
  await manager.query('DELETE FROM approval_list WHERE number < $1', [number]);
  return { ...list, keyId: keys.signingId };
}

/** For a database from before there were lists: the last approval or revocation of each build counts, and nothing before it. */
async function withdrawnByDecisions(manager: EntityManager): Promise<Withdrawn> {
  const rows: (Parameters<typeof buildKey>[0] & { sequence: string })[] = await manager.query(
    `SELECT build.application_id AS application, build.content_digest AS "contentDigest", build.architecture,
       max(approval.sequence) AS sequence
     FROM approval JOIN profile_version AS version ON version.id = approval.profile_version_id
     JOIN build ON build.id = version.build_id WHERE approval.stage <> 'rejected' GROUP BY build.id`,
  );
  return { floor: 0, builds: Object.fromEntries(rows.map((row) => [buildKey(row), Number(row.sequence)])) };
}
