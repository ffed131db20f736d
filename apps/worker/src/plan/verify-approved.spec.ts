import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { approvalKeys, buildKey, canonicalProfile, sha256, signList, signWith } from '#lib/profiles';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApprovedRow, type BuildRow } from '../attempt/claim.js';
import { ApprovalTrust, type StoredList } from './approval-trust.js';
import { type BuildStanding } from './plan-store.js';
import { verifiedStanding } from './verify-approved.js';

const keys = approvalKeys(generateKeyPairSync('ed25519').privateKey);
const build: BuildRow = { id: 'b', applicationId: 'a', contentDigest: 'sha256:c', architecture: 'x86_64' };
const CANONICAL = canonicalProfile({
  ...{ version: 1, architecture: 'x86_64', network: 'none' },
  rules: [{ names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' }],
});

let directory: string;
let trust: ApprovalTrust;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'porin-verify-'));
  const [publicKey] = [...keys.trusted.values()];
  writeFileSync(join(directory, 'keys.pem'), publicKey!.export({ type: 'spki', format: 'pem' }));
  trust = new ApprovalTrust({
    ...{ keysPath: join(directory, 'keys.pem'), listPath: join(directory, 'approvals.json') },
    logger: pino({ level: 'silent' }),
  });
});
afterEach(() => rmSync(directory, { recursive: true }));

const list = (number: number, least: number) =>
  signList(keys, {
    ...{ number, issuedAt: '2026-01-01T00:00:00.000Z', floor: 0 },
    builds: { [buildKey({ application: 'a', contentDigest: build.contentDigest, architecture: 'x86_64' })]: least },
  });

function standing(sequence: number, stored: StoredList): BuildStanding {
  const digest = sha256(CANONICAL);
  const statement = signWith(keys, {
    ...{ application: 'a', contentDigest: build.contentDigest, architecture: 'x86_64', profileDigest: digest },
    ...{ stage: 'approved', sequence },
  });
  const row: ApprovedRow = {
    ...{ id: 'v', digest, canonical: CANONICAL, auditOver: false, isUnderReview: false, list: stored },
    ...statement,
  };
  return { approved: row, siblings: null };
}

/** Answers in turn; `meanwhile` is what another attempt sees before the first answer is there. */
function ask(answers: readonly BuildStanding[], meanwhile?: StoredList) {
  const asked: (string | null)[] = [];
  const next = (known: string | null): Promise<BuildStanding> => {
    asked.push(known);
    if (asked.length === 1 && meanwhile) trust.accept(meanwhile, trust.keys());
    return Promise.resolve(answers[asked.length - 1]!);
  };
  return { asked, next };
}

const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'verified',
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );

describe('what is approved for a build', () => {
  it('is asked again where another attempt saw a newer list meanwhile', async () => {
    const { asked, next } = ask([standing(3, list(5, 3)), standing(3, list(6, 3))], list(6, 3));
    expect(await outcome(verifiedStanding(next, build, trust))).toBe('verified');
    expect(asked).toEqual([null, list(6, 3).signature]);
  });

  it('is asked again where the list that was left out is not the newest any more', async () => {
    trust.accept(list(5, 3), trust.keys());
    const known = { signature: list(5, 3).signature, text: null };
    const { asked, next } = ask([standing(3, known), standing(3, list(6, 3))], list(6, 3));
    expect(await outcome(verifiedStanding(next, build, trust))).toBe('verified');
    expect(asked).toHaveLength(2);
  });

  it('is refused at once where somebody put an older list back, or a withdrawn approval', async () => {
    trust.accept(list(6, 3), trust.keys());
    const older = ask([standing(3, list(5, 3))]);
    expect(await outcome(verifiedStanding(older.next, build, trust))).toContain('is older than number 6');
    const withdrawn = ask([standing(3, list(7, 4))]);
    expect(await outcome(verifiedStanding(withdrawn.next, build, trust))).toContain('superseded or revoked');
    expect([older.asked.length, withdrawn.asked.length]).toEqual([1, 1]);
  });
});
