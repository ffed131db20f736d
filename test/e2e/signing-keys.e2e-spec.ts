/** What a worker makes of approvals when rows are put back, keys change, or a key is lost; the worker's own code decides here. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPublicKeys } from '#lib/config';
import { makeDataSource } from '#lib/database';
import { JobError } from '#lib/jobs';
import {
  approvalKeys,
  type ApprovalSubject,
  keyIdOf,
  parseList,
  type SignedStatement,
  signList,
  signWith,
} from '#lib/profiles';
import { pino } from 'pino';
import { type DataSource, type EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resign } from '../../apps/api/src/profiles/decide/resign.js';
import { lockLists } from '#lib/store';
import { ApprovalTrust } from '../../apps/worker/src/plan/approval-trust.js';
import { PlanStore } from '../../apps/worker/src/plan/plan-store.js';
import { verifyApproved } from '../../apps/worker/src/plan/verify-approved.js';
import { type NodeDatabase } from '../../apps/worker/src/store/node-database.js';
import { porinAdmin } from '../support/admin-command.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { addTestNode } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type ListedProfile, makeLearningApplication } from '../support/learning-application.js';
import { openAsNode } from '../support/test-node.js';

let api: TestApi;
let keys: Record<'submitter' | 'reviewer' | 'admin', string>;
let nodeId: string;
let directory: string;
let workerDatabase: NodeDatabase;
let verifyingNodeId: string;

const signingKey = () => join(directory, 'signing-key.pem');
const publicKeys = () => join(directory, 'approval-public-key.pem');
let nodes = 0;
/** A node of its own, which has seen nothing. */
const freshNode = () =>
  new ApprovalTrust({
    keysPath: publicKeys(),
    listPath: join(directory, `node-${++nodes}.json`),
    logger: pino({ level: 'silent' }),
  });

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'porin-keys-'));
  newKey();
  api = await startTestApi({ PORIN_SIGNING_KEY_FILE: signingKey(), PORIN_APPROVAL_PUBLIC_KEY_FILE: publicKeys() });
  keys = {
    submitter: await api.makeKey({ role: 'submitter' }),
    reviewer: await api.makeKey({ role: 'reviewer' }),
    admin: await api.makeKey({ role: 'admin' }),
  };
  nodeId = await api.worker.addNode({ slots: 100 });
  const credentials = await addTestNode(api.database.ownerUrl, 'verifying');
  verifyingNodeId = credentials.id;
  workerDatabase = openAsNode(api.database.ownerUrl, credentials);
});
afterAll(async () => {
  await workerDatabase.end();
  await api.stop();
  rmSync(directory, { recursive: true });
});

/** In the place of those that are there, whose public key nobody keeps. */
function newKey(): string {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(signingKey(), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(publicKeys(), publicKey.export({ type: 'spki', format: 'pem' }));
  return keyIdOf(publicKey);
}

const admin = (args: string[], input = '') =>
  porinAdmin(
    args,
    {
      ...{ PORIN_DATABASE_URL: api.database.apiUrl, PORIN_SIGNING_KEY_FILE: signingKey() },
      PORIN_APPROVAL_PUBLIC_KEY_FILE: publicKeys(),
    },
    input,
  );

/** For the words of an attempt that is lost. */
const ATTEMPT = { jobId: '', number: 0 };

/** What a worker on the node would do: the kind of audit or enforcement, or the code and words of its refusal. */
async function verdictOf(buildId: string, node: ApprovalTrust): Promise<string> {
  const { approved: row } = await new PlanStore(workerDatabase).buildStanding(ATTEMPT, buildId, node.signature);
  if (!row) return 'no approved profile';
  if (row.isUnderReview) return 'held';
  const { rows } = await api.owner.query(
    `SELECT id, application_id AS "applicationId", content_digest AS "contentDigest", architecture FROM build WHERE id = $1`,
    [buildId],
  );
  try {
    return verifyApproved(row, rows[0], node).audit ? 'audit' : 'enforce';
  } catch (error) {
    if (error instanceof JobError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const decide = (verb: string, { id, digest }: ListedProfile, more: object = {}) =>
  api.post(keys.reviewer, `/api/v1/profiles/${id}/${verb}`, { digest, reason: 'looked at it', ...more });
const enforce = { stage: 'enforce' };
const detail = async (id: string) => (await api.get(keys.reviewer, `/api/v1/profiles/${id}`).expect(200)).body;

async function approved() {
  const app = await makeLearningApplication(api, { keys, nodeId });
  const version = await app.learn(['read']);
  await decide('approve', version, enforce).expect(200);
  const { buildId } = await detail(version.id);
  // A node is told of the builds of jobs that it holds alone.
  const body = { executors: [{ application: app.name }] };
  const { id } = (await api.post(keys.submitter, '/api/v1/jobs', body).expect(201)).body as { id: string };
  await api.worker.claim(id, verifyingNodeId);
  await api.worker.resolveBuild(id, 'sha256:content');
  return { app, version, buildId: buildId as string };
}

/** As a superuser of the database who kept the row. */
async function keep(id: string): Promise<() => Promise<void>> {
  const columns = ['state', 'statement', 'signature', 'stage', 'stage_since', 'audit_terms', 'audit_over'];
  const { rows } = await api.owner.query(`SELECT ${columns.join(', ')} FROM profile_version WHERE id = $1`, [id]);
  const kept = columns.map((column) => rows[0][column]);
  return () =>
    asSuperuser(async () => {
      await api.owner.query(
        `UPDATE profile_version SET state = 'SUPERSEDED' WHERE state = 'APPROVED' AND id <> $1
           AND build_id = (SELECT build_id FROM profile_version WHERE id = $1)`,
        [id],
      );
      const set = columns.map((column, index) => `${column} = $${index + 2}`).join(', ');
      await api.owner.query(`UPDATE profile_version SET ${set} WHERE id = $1`, [id, ...kept]);
    });
}

async function keepList(): Promise<() => Promise<void>> {
  const { rows } = await api.owner.query('SELECT number, text, signature FROM approval_list');
  return () =>
    asSuperuser(async () => {
      await api.owner.query('DELETE FROM approval_list');
      const { number, text, signature } = rows[0];
      await api.owner.query('INSERT INTO approval_list VALUES ($1, $2, $3)', [number, text, signature]);
    });
}

async function asSuperuser(work: () => Promise<void>): Promise<void> {
  await api.owner.query(`BEGIN; SET LOCAL session_replication_role = replica`);
  await work();
  await api.owner.query('COMMIT');
}

describe('an approval that was put back', () => {
  it('revives no revoked version, on a node that saw the revocation and on a new one', async () => {
    const { version, buildId } = await approved();
    const node = freshNode();
    expect(await verdictOf(buildId, node)).toBe('enforce');
    const putBack = await keep(version.id);
    await decide('revoke', version).expect(200);
    expect(await verdictOf(buildId, node)).toBe('no approved profile');
    await putBack();
    for (const each of [node, freshNode()]) expect(await verdictOf(buildId, each)).toContain('profile-integrity');
    expect((await detail(version.id)).state).toBe('APPROVED');
    await decide('revoke', version).expect(200);
  });

  it('brings back no superseded version, nor an earlier stage', async () => {
    const { app, version, buildId } = await approved();
    const before = await keep(version.id);
    await decide('stage', version, { stage: 'audit' }).expect(200);
    const audited = await keep(version.id);
    expect(await verdictOf(buildId, freshNode())).toBe('audit');
    await decide('stage', version, enforce).expect(200);
    await audited();
    expect(await verdictOf(buildId, freshNode())).toContain('superseded or revoked');

    await app.run({ inputsDigest: 'c', calls: ['read', 'kill'] });
    const second = await app.version(2);
    await decide('approve', second, enforce).expect(200);
    expect(await verdictOf(buildId, freshNode())).toBe('enforce');
    await before();
    expect(await verdictOf(buildId, freshNode())).toContain('superseded or revoked');
    await decide('approve', version, enforce).expect(200);
    expect(await verdictOf(buildId, freshNode())).toBe('enforce');
  });

  it('does not come back with the list that counted it: a node remembers, and the service issues the list anew', async () => {
    const { version, buildId } = await approved();
    const [putBack, putListBack] = [await keep(version.id), await keepList()];
    await decide('revoke', version).expect(200);
    const { buildId: another } = await approved();
    const node = freshNode();
    expect(await verdictOf(another, node)).toBe('enforce');
    // The service has seen the list that is newest now.
    await api.dispatcherHasLooked();
    await putBack();
    await putListBack();
    expect(await verdictOf(buildId, node)).toContain('older than number');
    await eventually(async () => expect(await verdictOf(another, freshNode())).toBe('enforce'));
    for (const each of [node, freshNode()]) expect(await verdictOf(buildId, each)).toContain('superseded or revoked');
  });

  it('teaches no rule: nothing is inherited from it', async () => {
    const { app, version, buildId } = await approved();
    const putBack = await keep(version.id);
    await decide('revoke', version).expect(200);
    await putBack();
    const { body } = await api.post(keys.submitter, '/api/v1/jobs', { executors: [{ application: app.name }] });
    const attempt = await api.worker.claim(body.id, nodeId);
    await api.worker.resolveBuild(attempt.jobId, 'sha256:another');
    await api.worker.hold(attempt, 'waiting-for-inherited-profile');
    await eventually(async () => {
      const job = (await api.get(keys.submitter, `/api/v1/jobs/${body.id}`).expect(200)).body;
      expect(job.waitingReason).toBe('waiting-for-approved-profile');
    });
    expect(await verdictOf(buildId, freshNode())).toContain('profile-integrity');
  });

  it('is not believed without a list', async () => {
    const { buildId } = await approved();
    await asSuperuser(async () => void (await api.owner.query('DELETE FROM approval_list')));
    const now = await verdictOf(buildId, freshNode());
    expect(now === 'enforce' || now.includes('there is no list')).toBe(true);
    await eventually(async () => expect(await verdictOf(buildId, freshNode())).toBe('enforce'));
  });

  it('cannot be prepared by the service’s own role: the newest list stays', async () => {
    const pool = await makeDataSource({ url: api.database.apiUrl, applicationName: 'test', poolSize: 1 }).initialize();
    await expect(pool.query('DELETE FROM approval_list')).rejects.toThrow('stays as it is');
    await expect(pool.query('UPDATE approval_list SET number = 1')).rejects.toThrow('permission denied');

    await pool.destroy();
  });
});

describe('a change of the signing key', () => {
  it('never leaves a moment in which approvals are not enforced', async () => {
    const { version, buildId } = await approved();
    const node = freshNode();
    expect(await verdictOf(buildId, node)).toBe('enforce');
    const prepared = await admin(['key', 'rotate']);
    expect(prepared).toMatchObject({ code: 0, stderr: '' });
    const next = /The key ([0-9a-f]{16}) is ready/.exec(prepared.stdout)?.[1] ?? '';
    expect([await verdictOf(buildId, node), node.keys().has(next)]).toEqual(['enforce', true]);

    const early = await admin(['key', 'rotate', '--activate']);
    expect(early).toMatchObject({ code: 1, stderr: expect.stringContaining('these nodes do not trust the key') });
    await api.owner.query(`UPDATE node SET facts = jsonb_build_object('trustedKeys', jsonb_build_array($1::text))`, [
      next,
    ]);
    expect(await admin(['key', 'rotate', '--activate'])).toMatchObject({ code: 0 });
    expect(await verdictOf(buildId, node)).toBe('enforce');
    await api.restart();
    await eventually(async () => {
      const { rows } = await api.owner.query(`SELECT text::json->>'keyId' AS key FROM approval_list`);
      expect(rows).toEqual([{ key: next }]);
    });
    expect(await verdictOf(buildId, node)).toBe('enforce');
    expect(await admin(['resign'])).toMatchObject({ code: 0, stdout: expect.stringContaining('signed anew by') });

    const [first, again] = (await detail(version.id)).decisions;
    expect(again).toMatchObject({ ...{ stage: 'approved', keyId: next, resignedFrom: first.sequence } });
    expect(again).toMatchObject({ reason: first.reason, decidedBy: first.decidedBy });
    // Only the new key is trusted from now on.
    trustOnly(next);
    for (const each of [node, freshNode()]) expect(await verdictOf(buildId, each)).toBe('enforce');
    const second = await approved();
    expect(await verdictOf(second.buildId, node)).toBe('enforce');
  });

  it('keeps audits and their end, and what was withdrawn stays withdrawn', async () => {
    const { version, buildId } = await approved();
    await decide('stage', version, { stage: 'audit' }).expect(200);
    const { promotion, stageSince } = await detail(version.id);
    const gone = await approved();
    const putBack = await keep(gone.version.id);
    await decide('revoke', gone.version).expect(200);
    await putBack();
    const resigned = await admin(['resign']);
    expect(resigned.stdout).toContain('must be approved again');
    expect(resigned.stdout).toContain(gone.version.id);
    expect(await verdictOf(gone.buildId, freshNode())).toBe('held');
    expect(await verdictOf(buildId, freshNode())).toBe('audit');
    expect(await detail(version.id)).toMatchObject({ stageSince, promotion: { until: promotion.until } });
    const list = await api.get(keys.reviewer, '/api/v1/profiles?review=true').expect(200);
    expect(list.body.profiles.map(({ id }: { id: string }) => id)).toContain(gone.version.id);
    await decide('revoke', gone.version).expect(200);
    expect(await verdictOf(gone.buildId, freshNode())).toBe('no approved profile');
  });

  it('is refused by resign while a node does not trust the key, unless somebody insists', async () => {
    await api.owner.query(`UPDATE node SET facts = '{}'`);
    expect(await admin(['resign'])).toMatchObject({ code: 1, stderr: expect.stringContaining('--anyway') });
    expect(await admin(['resign', '--anyway'])).toMatchObject({ code: 0 });
    await api.owner.query(`UPDATE node SET state = 'GONE'`);
    expect(await admin(['resign'])).toMatchObject({ code: 0 });
    await api.owner.query(`UPDATE node SET state = 'READY'`);
  });
});

describe('after a compromise', () => {
  const heldJob = async (name: string) => {
    const { body } = await api.post(keys.submitter, '/api/v1/jobs', { executors: [{ application: name }] });
    const attempt = await api.worker.claim(body.id, nodeId);
    await api.worker.resolveBuild(attempt.jobId, 'sha256:content');
    await api.worker.hold(attempt, 'waiting-for-approved-profile');
    return async () => (await api.get(keys.submitter, `/api/v1/jobs/${body.id}`).expect(200)).body.fence as number;
  };

  it.each(['time', 'sequence'])(
    'approvals since a %s are a person’s to give again, and their jobs wait',
    async (by) => {
      const before = await approved();
      const [decision] = (await detail(before.version.id)).decisions;
      const after = await approved();
      const [later] = (await detail(after.version.id)).decisions;
      expect(later.sequence).toBeGreaterThan(decision.sequence);
      const since = by === 'time' ? later.createdAt : String(later.sequence);
      const result = await admin(['resign', '--anyway', '--compromised-since', since]);
      expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining(after.version.id) });
      expect(result.stdout).not.toContain(before.version.id);
      expect(await verdictOf(before.buildId, freshNode())).toBe('enforce');
      expect(await verdictOf(after.buildId, freshNode())).toBe('held');
      expect((await detail(after.version.id)).reviewSince).not.toBeNull();
      const fence = await heldJob(after.app.name);
      await api.dispatcherHasLooked();
      expect(await fence()).toBe(1);
      await decide('approve', after.version, enforce).expect(200);
      expect(await fence()).toBe(2);
      expect(await verdictOf(after.buildId, freshNode())).toBe('enforce');
      const { rows } = await api.owner.query(`SELECT action FROM audit WHERE subject_id = $1 ORDER BY id`, [
        after.version.id,
      ]);
      expect(rows.map(({ action }: { action: string }) => action)).toContain('profile.review');
      expect((await decide('approve', after.version, enforce).expect(409)).body.code).toBe('wrong-profile-state');
    },
  );

  it('what was signed anew meanwhile counts by its first decision', async () => {
    const { version, buildId } = await approved();
    const since = new Date().toISOString();
    expect(await admin(['resign', '--anyway'])).toMatchObject({ code: 0 });
    expect(await admin(['resign', '--anyway', '--compromised-since', since])).toMatchObject({ code: 0 });
    expect(await verdictOf(buildId, freshNode())).toBe('enforce');
    expect((await detail(version.id)).reviewSince).toBeNull();
  });

  it('is not guessed from words that are no time', async () => {
    for (const since of ['yesterday', '2026-13-45', '-1']) {
      expect((await admin(['resign', '--anyway', `--compromised-since=${since}`])).code).toBe(1);
    }
  });
});

describe('somebody who took the signing key and the service’s role', () => {
  let thief: DataSource;
  beforeAll(async () => {
    thief = await makeDataSource({ url: api.database.apiUrl, applicationName: 'test' }).initialize();
  });
  afterAll(() => thief.destroy());

  const stolenKeys = () => approvalKeys(createPrivateKey(readFileSync(signingKey())));
  const sequence = async (manager: EntityManager) =>
    Number((await manager.query<[{ n: string }]>(`SELECT nextval('approval_sequence') AS n`))[0].n);
  const newestList = async (manager: EntityManager) =>
    parseList(
      (await manager.query<[{ text: string }]>('SELECT text FROM approval_list ORDER BY number DESC LIMIT 1'))[0].text,
    )!;

  const insert = (
    manager: EntityManager,
    id: string,
    number: number,
    signed: SignedStatement,
    from: number | null = null,
  ) =>
    manager.query<[{ at: Date }]>(
      `INSERT INTO approval (profile_version_id, stage, sequence, decided_by, reason, statement, signature, created_at, resigned_from)
       SELECT $1, 'approved', $2, decided_by, 'mine', $3, $4, '2020-01-01', $5 FROM approval WHERE decided_by IS NOT NULL LIMIT 1
       RETURNING created_at AS at`,
      [id, number, signed.statement, signed.signature, from],
    );
  const setApproved = (manager: EntityManager, id: string, { statement, signature }: SignedStatement) =>
    manager.query(
      `UPDATE profile_version SET state = 'APPROVED', stage = 'enforce', audit_terms = NULL, statement = $2, signature = $3,
         decided_at = '2020-01-01' WHERE id = $1`,
      [id, statement, signature],
    );
  const subjectOf = async (id: string) => {
    const { applicationId, contentDigest, architecture, digest } = await detail(id);
    return { application: applicationId, contentDigest, architecture, profileDigest: digest } as ApprovalSubject;
  };
  /** Counts everything that was ever signed. */
  async function issue(manager: EntityManager): Promise<void> {
    const number = await sequence(manager);
    const { text, signature } = signList(stolenKeys(), {
      number,
      issuedAt: '2020-01-01T00:00:00.000Z',
      floor: 0,
      builds: {},
    });
    await manager.query('INSERT INTO approval_list (number, text, signature) VALUES ($1, $2, $3)', [
      number,
      text,
      signature,
    ]);
  }

  it('cannot write a decision that seems older than it is, nor change one', async () => {
    const { version } = await approved();
    const { manager } = thief;
    const subject = await subjectOf(version.id);
    const written = (number: number) =>
      insert(manager, version.id, number, signWith(stolenKeys(), { ...subject, stage: 'approved', sequence: number }));
    const { number: newest } = await newestList(manager);
    for (const number of [newest, newest - 1, newest + 1_000_000]) {
      await expect(written(number)).rejects.toThrow('approval: the number');
    }
    const before = Date.now() - 60_000;
    expect((await written(await sequence(manager)))[0].at.getTime()).toBeGreaterThan(before);
    await expect(manager.query(`UPDATE approval SET created_at = '2020-01-01'`)).rejects.toThrow('permission denied');
    const list = [10 ** 12, 'text', 'signature'];
    await expect(
      manager.query('INSERT INTO approval_list (number, text, signature) VALUES ($1, $2, $3)', list),
    ).rejects.toThrow('was not given yet');
  });

  it('has nothing signed anew that it decided, repeated otherwise, or put back', async () => {
    const honest = await approved();
    const superseded = await approved();
    const kept = (await detail(superseded.version.id)).decisions[0] as SignedStatement;
    await superseded.app.run({ inputsDigest: 'c', calls: ['read', 'kill'] });
    const successor = await superseded.app.version(2);
    await decide('approve', successor, enforce).expect(200);
    const audited = await makeLearningApplication(api, { keys, nodeId });
    const widened = await audited.learn(['read']);
    await decide('approve', widened).expect(200);
    const original = (await detail(widened.id)).decisions[0].sequence as number;
    const proposed = await (await makeLearningApplication(api, { keys, nodeId })).learn(['read']);
    const [ofProposed, ofWidened] = [await subjectOf(proposed.id), await subjectOf(widened.id)];
    const since = new Date();

    const { review } = await thief.transaction(async (manager) => {
      // The service would put a list right at once.
      await lockLists(manager);
      for (const [{ id }, subject, from] of [
        [proposed, ofProposed, null],
        [widened, ofWidened, original],
      ] as const) {
        const number = await sequence(manager);
        const signed = signWith(stolenKeys(), { ...subject, stage: 'approved', sequence: number });
        await insert(manager, id, number, signed, from);
        await setApproved(manager, id, signed);
      }
      await manager.query(`UPDATE profile_version SET state = 'SUPERSEDED', stage = NULL WHERE id = $1`, [
        successor.id,
      ]);
      await setApproved(manager, superseded.version.id, kept);
      await issue(manager);
      return resign(manager, stolenKeys(), { compromisedSince: since });
    });
    const why = (id: string) => review.find((each) => each.id === id)?.why;
    expect(why(proposed.id)).toContain('somebody else');
    expect(why(widened.id)).toContain('repeats no decision');
    expect(why(superseded.version.id)).toContain('a later decision');
    expect(why(honest.version.id)).toBeUndefined();
    expect(await verdictOf(honest.buildId, freshNode())).toBe('enforce');
  });
});

describe('any decision', () => {
  it('can be verified without the service, by the answer of the API and public keys', async () => {
    const { version } = await approved();
    const answer = await detail(version.id);
    const check = (document: unknown) => admin(['verify', '-'], JSON.stringify(document));
    const good = await check(answer);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toContain(`approved ${version.digest} key ${answer.decisions[0].keyId}`);
    expect(await check(answer.decisions[0])).toMatchObject({ code: 0 });

    const [{ statement, signature }] = answer.decisions;
    const wrong: [string, unknown][] = [
      ['no trusted key', { statement: statement.replace('approved', 'revoked'), signature }],
      ['another profile', { ...answer, digest: `sha256:${'0'.repeat(64)}` }],
      ['another build', { ...answer, contentDigest: 'sha256:other' }],
      ['does not have the digest', { ...answer, profile: { ...answer.profile, pids: 7 } }],
      ['no trusted key', { ...answer, decisions: [{ statement, signature: 'AAAA' }] }],
    ];
    for (const [words, document] of wrong) {
      expect(await check(document)).toMatchObject({ code: 1, stdout: expect.stringContaining(words) });
    }
    for (const text of ['', 'null', '{}', '{"decisions": []}']) {
      expect((await admin(['verify', '-'], text)).code).toBe(1);
    }
  });
});

describe('a lost signing key', () => {
  it('lets the same rules be approved again, and enforced', async () => {
    const { version, buildId, app } = await approved();
    const next = newKey();
    await api.restart();
    expect(await verdictOf(buildId, freshNode())).toContain('profile-signature');
    const refused = await decide('approve', version, enforce);
    expect({ status: refused.status, code: refused.body.code }).toEqual({ status: 500, code: 'profile-integrity' });
    const unsure = await admin(['resign', '--anyway']);
    expect(unsure).toMatchObject({ code: 1, stderr: expect.stringContaining('--lost-key') });
    expect(await admin(['resign', '--anyway', '--lost-key'])).toMatchObject({
      ...{ code: 0, stdout: expect.stringContaining(version.id) },
    });
    expect(await verdictOf(buildId, freshNode())).toBe('held');
    await decide('approve', version, enforce).expect(200);
    expect(await verdictOf(buildId, freshNode())).toBe('enforce');
    expect((await detail(version.id)).decisions.at(-1)).toMatchObject({ keyId: next, resignedFrom: null });

    // Rules go on from it.
    const { body } = await api.post(keys.submitter, '/api/v1/jobs', { executors: [{ application: app.name }] });
    const attempt = await api.worker.claim(body.id, nodeId);
    const heir = await api.worker.resolveBuild(attempt.jobId, 'sha256:heir');
    await api.worker.hold(attempt, 'waiting-for-inherited-profile');
    const again = await api.worker.claim(body.id, verifyingNodeId).catch(() => undefined);
    await eventually(async () => {
      const holder = again ?? (await api.worker.claim(body.id, verifyingNodeId).catch(() => undefined));
      expect([holder !== undefined, await verdictOf(heir, freshNode())]).toEqual([true, 'audit']);
    });
  });
});

function trustOnly(keyId: string): void {
  const pems = readPublicKeys('test', publicKeys()).filter((key) => keyIdOf(key) === keyId);
  writeFileSync(publicKeys(), pems.map((key) => key.export({ type: 'spki', format: 'pem' }) as string).join(''));
}
