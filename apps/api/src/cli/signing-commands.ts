/** `porin-admin key rotate`, `resign`, `verify`: the keys that sign approvals, and what they have signed. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadApprovalKeys, readPublicKeys } from '#lib/config';
import { trustedKeys } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type CompromisedSince, resign } from '../profiles/decide/resign.js';
import { type Command, environment, type Given, UsageError, withDatabase } from './command.js';
import { activateNextKey, type KeyPlaces, prepareNextKey, preparedKeys } from './rotate-key.js';
import { verifyDecisions } from './verify-decisions.js';

const PLACES = { 'signing-key': { type: 'string' }, 'public-keys': { type: 'string' } } as const;
const PLACES_HELP = [
  '--signing-key <file>      (default: PORIN_SIGNING_KEY_FILE)',
  '--public-keys <path>      those that are trusted, a file or a directory',
  '                          (default: PORIN_APPROVAL_PUBLIC_KEY_FILE, else approval-public-key.pem beside it)',
];
const ANYWAY_HELP =
  '--anyway                  though a node does not trust the key yet: it enforces nothing until it does';

export const SIGNING_COMMANDS: readonly Command[] = [
  {
    words: 'key rotate',
    options: { ...PLACES, activate: { type: 'boolean' }, anyway: { type: 'boolean' } },
    help: [
      'make the next key that signs approvals, and tell what to do then',
      '--activate                put it in the place of the current one, once all nodes trust it',
      ANYWAY_HELP,
      ...PLACES_HELP,
    ],
    run: rotate,
  },
  {
    words: 'resign',
    options: {
      'compromised-since': { type: 'string' },
      'lost-key': { type: 'boolean' },
      anyway: { type: 'boolean' },
      ...PLACES,
    },
    help: [
      'sign every approval that counts anew by the current key; after a change of keys, and after a restore',
      '--compromised-since <when>  a time (ISO 8601) or the sequence of a decision: those from there on are not signed, and',
      '                          a person approves these versions again',
      '--lost-key                the list of approvals was signed by a key that nobody has: approve all versions again',
      ANYWAY_HELP,
      ...PLACES_HELP,
    ],
    run: signAnew,
  },
  {
    words: 'verify',
    operands: ['file'],
    options: { 'public-keys': { type: 'string' } },
    help: [
      'check the decisions in an answer of GET /api/v1/profiles/{id} ("-": standard input), without a database',
      '--public-keys <path>      (default: PORIN_APPROVAL_PUBLIC_KEY_FILE)',
    ],
    run: verify,
  },
];

async function rotate(given: Given): Promise<void> {
  const where = places(given);
  const isAnyway = given.flag('anyway');
  if (!given.flag('activate')) {
    const { current, next } = prepareNextKey(where);
    console.log(NEXT_STEPS(where, current, next));
    return;
  }
  const { current, next } = preparedKeys(where);
  if (process.env.PORIN_DATABASE_URL) await withDatabase((manager) => requireTrust(manager, next, isAnyway));
  else if (!isAnyway) throw new UsageError('PORIN_DATABASE_URL is not set, so nobody knows which keys nodes trust');
  activateNextKey(where);
  console.log(`The key ${next} signs from now on.
1. Restart the API. It needs PORIN_APPROVAL_PUBLIC_KEY_FILE=${where.publicKeys} to know what ${current} has signed.
2. Run: porin-admin resign
3. Take the key ${current} out of the trusted ones, here and on every node.`);
}

const NEXT_STEPS = (
  { publicKeys }: KeyPlaces,
  current: string,
  next: string,
) => `The key ${next} is ready, and ${current} signs as before.
1. Copy ${publicKeys} to every node, as its PORIN_APPROVAL_PUBLIC_KEY_FILE. Workers read it again by themselves; restart those
   that have it as a secret of a container.
2. GET /api/v1/nodes shows ${next} among the trustedKeys of every node.
3. Run: porin-admin key rotate --activate`;

async function signAnew(given: Given): Promise<void> {
  const where = places(given);
  const keys = loadApprovalKeys({
    PORIN_SIGNING_KEY_FILE: where.signingKey,
    PORIN_APPROVAL_PUBLIC_KEY_FILE: where.publicKeys,
  });
  const since = given.text('compromised-since');
  const options = {
    isKeyLost: given.flag('lost-key'),
    ...(since !== undefined && { compromisedSince: compromisedSince(since) }),
  };
  const { signed, review } = await withDatabase(async (database) => {
    await requireTrust(database, keys.signingId, given.flag('anyway'));
    return database.transaction((manager) => resign(manager, keys, options));
  });
  console.log(`${signed} approval(s) signed anew by the key ${keys.signingId}`);
  if (review.length === 0) return;
  console.log(`${review.length} version(s) must be approved again (GET /api/v1/profiles?review=true):`);
  for (const { id, number, why } of review) console.log([id, `version ${number}`, why].join('\t'));
}

function compromisedSince(text: string): CompromisedSince {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const time = new Date(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new UsageError('--compromised-since must be a time (2026-11-28T10:00:00Z) or the sequence of a decision');
}

function verify({ operands: [file = ''], text }: Given): Promise<void> {
  const path = text('public-keys') ?? environment('PORIN_APPROVAL_PUBLIC_KEY_FILE');
  const trusted = trustedKeys(readPublicKeys('--public-keys', path));
  const decisions = verifyDecisions(readFileSync(file === '-' ? 0 : file, 'utf8'), trusted);
  for (const { title, problem } of decisions)
    console.log(`${problem === null ? 'ok' : 'WRONG'}\t${title}\t${problem ?? ''}`);
  const wrong = decisions.filter(({ problem }) => problem !== null).length;
  if (wrong > 0) throw new Error(`${wrong} of ${decisions.length} decision(s) do not verify`);
  return Promise.resolve();
}

function places({ text }: Given): KeyPlaces {
  const signingKey = text('signing-key') ?? environment('PORIN_SIGNING_KEY_FILE');
  const publicKeys =
    text('public-keys') ??
    (process.env.PORIN_APPROVAL_PUBLIC_KEY_FILE || join(dirname(signingKey), 'approval-public-key.pem'));
  return { signingKey, publicKeys };
}

/** Throws UsageError where a node that takes jobs would enforce nothing that the key signs. */
async function requireTrust(manager: EntityManager, keyId: string, isAnyway: boolean): Promise<void> {
  const rows: { name: string }[] = await manager.query(
    `SELECT name FROM node WHERE state <> 'GONE' AND NOT coalesce(facts->'trustedKeys' ? $1, false) ORDER BY name`,
    [keyId],
  );
  if (rows.length === 0 || isAnyway) return;
  const names = rows.map(({ name }) => name).join(', ');
  throw new UsageError(
    `these nodes do not trust the key ${keyId}: ${names}. Copy the public keys there, or add --anyway`,
  );
}
