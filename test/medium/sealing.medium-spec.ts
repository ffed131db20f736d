/** The dispatcher's side of secrets: whom it seals to, and what a node gets that has uploads to abort. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSecretKeys } from '#lib/config';
import { makeDataSource } from '#lib/database';
import { encryptSecret, SealingKey, type SecretValue } from '#lib/secrets';
import { pino } from 'pino';
import { type DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { verifyRegistrations } from '../../apps/dispatcher/src/nodes/verify-registrations.js';
import { Patience } from '../../apps/dispatcher/src/placement/patience.js';
import { Placement } from '../../apps/dispatcher/src/placement/place-jobs.js';
import { forgetSealed, SecretSealer } from '../../apps/dispatcher/src/placement/seal-secrets.js';
import { sealStagings } from '../../apps/dispatcher/src/placement/seal-stagings.js';
import { type AbandonedStaging } from '../../apps/worker/src/attempt/claim.js';
import { openSecrets } from '../../apps/worker/src/attempt/open-secrets.js';
import { call, type NodeSession, TwoNodes } from '../support/stolen-node.js';

const LOG = pino({ level: 'silent' });
const S3 = { kind: 's3', accessKeyId: 'AKIA', secretAccessKey: 'swordfish' } as const;
const BEARER = { kind: 'bearer', token: 'swordfish' } as const;
/** RFC 7748, section 6.1: every secret that is shared with it is zero. */
const LOW_ORDER = Buffer.alloc(32).toString('base64');

let two: TwoNodes;
let api: DataSource;
let directory: string;
let sealer: SecretSealer;
let victimKey: SealingKey;
beforeAll(async () => {
  two = await TwoNodes.make();
  api = await makeDataSource({ url: two.database.apiUrl, applicationName: 'test' }).initialize();
  directory = mkdtempSync(join(tmpdir(), 'porin-sealing-'));
  const keyFile = join(directory, 'keys');
  writeFileSync(keyFile, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  sealer = new SecretSealer(keyFile, LOG);
  await writeSecret(keyFile, 'store', 's3://lab/', S3);
  await writeSecret(keyFile, 'token', 'https://host/', BEARER);
  victimKey = await SealingKey.generate();
});
afterAll(async () => {
  await api.destroy();
  await two.end();
  rmSync(directory, { recursive: true });
});
beforeEach(async () => {
  await two.owner.query('DELETE FROM job');
  await register(two.thief, LOW_ORDER);
  await register(two.victim, victimKey.publicKey);
});

async function writeSecret(keyFile: string, name: string, prefix: string, value: SecretValue): Promise<void> {
  const place = { tenant: 't', name, kind: value.kind, prefix, usableBy: null };
  const { keyId, encrypted } = encryptSecret(readSecretKeys(keyFile), place, value);
  await two.owner.query(
    `WITH writer AS (INSERT INTO principal (tenant, kind, name) VALUES ('t', 'person', $1 || ' writer') RETURNING id)
     INSERT INTO secret (tenant, name, kind, prefix, key_id, encrypted, changed_by) SELECT 't', $1, $2, $3, $4, $5, id FROM writer`,
    [name, value.kind, prefix, keyId, encrypted],
  );
}

/** As a node says it that has signed it, and is believed. */
async function register({ id }: NodeSession, sealingKey: string): Promise<KeyObject> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const text = JSON.stringify({ sealingKey });
  await two.owner.query(
    `UPDATE node SET public_key = $2, registration = $3, registration_signature = $4, sealing_key = $5,
       registration_verified = true, state = 'READY', heartbeat_at = now(), started_at = now(), slots = 2, cpu_milli = 4000,
       memory_bytes = 100, disk_bytes = 100, offered_monitorings = '{none}' WHERE id = $1`,
    [
      id,
      publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      text,
      sign(null, Buffer.from(text), privateKey).toString('base64'),
      sealingKey,
    ],
  );
  return privateKey;
}

const setState = ({ id }: NodeSession, state: string) =>
  two.owner.query('UPDATE node SET state = $2 WHERE id = $1', [id, state]);

interface Row {
  readonly state: string;
  readonly verified: boolean;
  readonly registration: string | null;
}
async function nodeRow({ id }: NodeSession): Promise<Row | undefined> {
  const { rows } = await two.owner.query<Row>(
    'SELECT state, registration_verified AS verified, registration FROM node WHERE id = $1',
    [id],
  );
  return rows[0];
}

async function jobRow(id: string): Promise<unknown> {
  const { rows } = await two.owner.query<Record<string, unknown>>(
    `SELECT placed_node_id AS "nodeId", waiting_reason = 'waiting-for-secret' AS waits,
       (SELECT count(*)::int FROM sealed_secret WHERE job_id = job.id) AS sealed FROM job WHERE id = $1`,
    [id],
  );
  return rows[0];
}

/** Names both secrets, or none. */
async function queuedJob(secrets: '{store,token}' | null): Promise<string> {
  const id = await two.placedJob(two.victim.id, await two.makeApplication());
  await two.owner.query(
    `UPDATE job SET secrets = $2, dispatched_fence = 0, placed_node_id = NULL, placed_at = NULL WHERE id = $1`,
    [id, secrets],
  );
  await two.owner.query('SELECT porin.enqueue($1, false)', [id]);
  return id;
}

describe('a node with a key to which nothing can be sealed', () => {
  it('is believed no more, and its jobs go to the next node at once, those without secrets too', async () => {
    const ids = [await queuedJob('{store,token}'), await queuedJob(null)];
    const [id = ''] = ids;
    const placement = new Placement(
      new Patience(60_000),
      { tellMs: 2_500, reserveAfterMs: 60_000, usageHalfLifeMs: 3_600_000 },
      sealer,
    );
    const round = () => api.transaction((manager) => placement.round(manager));
    await setState(two.victim, 'DRAINING');
    expect(await round()).toMatchObject({ placed: [], isUnfinished: true });
    expect(await nodeRow(two.thief)).toMatchObject({ state: 'DRAINING', verified: false });
    expect(await jobRow(id)).toMatchObject({ nodeId: null, sealed: 0 });
    await setState(two.victim, 'READY');
    const { placed } = await round();
    expect(placed.map(({ jobId, nodeId }) => [jobId, nodeId]).sort()).toEqual(
      ids.map((each) => [each, two.victim.id]).sort(),
    );
    expect(await jobRow(id)).toMatchObject({ nodeId: two.victim.id, sealed: 2 });
  });

  it('is not believed when it says so', async () => {
    await two.owner.query('UPDATE node SET registration_verified = false');
    await verifyRegistrations(api.manager, LOG);
    expect(await nodeRow(two.thief)).toEqual({ state: 'DRAINING', verified: false, registration: null });
    expect(await nodeRow(two.victim)).toMatchObject({ state: 'READY', verified: true });
  });

  it('nor one whose row names another key than it has signed', async () => {
    await two.owner.query('UPDATE node SET registration_verified = false, sealing_key = $2 WHERE id = $1', [
      two.victim.id,
      (await SealingKey.generate()).publicKey,
    ]);
    await verifyRegistrations(api.manager, LOG);
    expect(await nodeRow(two.victim)).toMatchObject({ verified: false, registration: null });
  });
});

describe('what is sealed for uploads that nobody goes on with', () => {
  /** Of an attempt of the victim's that goes on. */
  async function staging(url: string): Promise<string> {
    const { jobId } = await two.claimed(two.victim, { outputs: [{ path: '/out/a', url }] });
    await two.owner.query(`UPDATE job SET secrets = '{store,token}' WHERE id = $1`, [jobId]);
    await call(two.victim.client, 'node_begin_staging', { jobId, number: 1, token: 'token', leaseMs: 600_000 });
    return jobId;
  }
  async function abandoned(url: string, endedDaysAgo = 0): Promise<string> {
    const jobId = await staging(url);
    await two.owner.query(
      `UPDATE attempt SET state = 'LOST', ended_at = now() - make_interval(days => $2) WHERE job_id = $1`,
      [jobId, endedDaysAgo],
    );
    return jobId;
  }
  const seal = () => api.transaction((manager) => sealStagings(manager, sealer));
  const stagings = ({ client }: NodeSession, skipped: readonly string[] = []) =>
    call<AbandonedStaging[]>(client, 'node_abandoned_stagings', { skipped });

  it('are the S3 secrets of its job, to the node alone that has staged it, once for each time that it asks', async () => {
    const jobId = await abandoned('s3://lab/a');
    await seal();
    await forgetSealed(api.manager);
    expect(await stagings(two.thief)).toEqual([]);
    expect(await stagings(two.victim, ['token'])).toEqual([]);
    for (const time of ['first', 'second']) {
      const [told] = await stagings(two.victim);
      if (!told) throw new Error(`nothing is told: ${time}`);
      expect(told).toMatchObject({ jobId, number: 1, token: 'token', outputs: [{ url: 's3://lab/a' }] });
      const opener = { id: two.victim.id, name: 'victim', sealingKey: victimKey };
      expect((await openSecrets(told, opener)).credentials).toEqual([{ ...S3, prefix: 's3://lab/' }]);
      expect((await stagings(two.victim))[0]?.secrets).toEqual([]);
      await seal();
    }
  });

  it('is forgotten when it is swept', async () => {
    const jobId = await abandoned('s3://lab/a');
    await seal();
    expect(await jobRow(jobId)).toMatchObject({ sealed: 1 });
    await call(two.victim.client, 'node_swept', { jobId, number: 1, token: 'token' });
    await forgetSealed(api.manager);
    await seal();
    expect(await jobRow(jobId)).toMatchObject({ sealed: 0 });
  });

  it('is nothing for other outputs, nor a week later', async () => {
    const ids = [await abandoned('file:///a'), await abandoned('s3://lab/a', 8)];
    await seal();
    for (const id of ids) expect(await jobRow(id)).toMatchObject({ sealed: 0 });
    expect(await stagings(two.victim)).toHaveLength(2);
  });

  it('is nothing while an attempt goes on with it', async () => {
    const jobId = await staging('s3://lab/a');
    await seal();
    expect(await jobRow(jobId)).toMatchObject({ sealed: 0 });
  });
});
