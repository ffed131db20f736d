/** Jobs whose manifest is stored, and whose node has died, has less than before, or is away: none of them is stuck. */
import { randomUUID } from 'node:crypto';
import { makeDataSource } from '#lib/database';
import { nodeArchitecture } from '#lib/profiles';
import pg from 'pg';
import { type DataSource } from 'typeorm';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endOverduePublications } from '../../apps/dispatcher/src/attempts/reconciler.js';
import { releaseOutputs } from '#lib/store';
import { Patience } from '../../apps/dispatcher/src/placement/patience.js';
import { Placement } from '../../apps/dispatcher/src/placement/place-jobs.js';
import { SecretSealer } from '../../apps/dispatcher/src/placement/seal-secrets.js';
import { AttemptStore } from '../../apps/worker/src/attempt/attempt-store.js';
import { PublicationStore } from '../../apps/worker/src/attempt/publication-store.js';
import { type NodeDatabase } from '../../apps/worker/src/store/node-database.js';
import { addTestNode, makeTestDatabase, type TestDatabase } from '../support/database.js';
import { openAsNode } from '../support/test-node.js';

const ARCHITECTURE = nodeArchitecture(process.arch);
const DAY_MS = 86_400_000;
/** Of the node, and more than it has. */
const SMALL = 100;
const LARGE = 1000;

let database: TestDatabase;
let owner: pg.Client;
let api: DataSource;
let node: NodeDatabase;
let nodeId: string;
let store: AttemptStore;

beforeAll(async () => {
  database = await makeTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  api = await makeDataSource({ url: database.apiUrl, applicationName: 'test' }).initialize();
  const bounds = { slots: 2, cpuMilli: SMALL, memoryBytes: SMALL, diskBytes: SMALL };
  const credentials = await addTestNode(database.ownerUrl, 'node', bounds);
  nodeId = credentials.id;
  node = openAsNode(database.ownerUrl, credentials);
  store = new AttemptStore(node, { leaseMs: 60_000, session: node });
});
afterAll(async () => {
  await node.end();
  await api.destroy();
  await owner.end();
  await database.drop();
});

beforeEach(async () => {
  await owner.query('DELETE FROM job');
  await owner.query('DELETE FROM queue_entry');
  await setNode('READY', SMALL);
});

async function setNode(state: string, each: number): Promise<void> {
  await owner.query(
    `UPDATE node SET registration_verified = true, state = $2, heartbeat_at = now(), slots = 2, cpu_milli = $3::int, memory_bytes = $3::int,
       disk_bytes = $3::int, unresponsive_at = NULL WHERE id = $1`,
    [nodeId, state, each],
  );
}

interface JobOptions {
  /** Of everything. */
  readonly asks: number;
  /** Since when its manifest is stored; null: its payload has not run. */
  readonly publishingSinceMs: number | null;
  readonly waitingReason?: string;
  readonly number?: number;
}

/** QUEUED; where it is publishing, its first attempt was lost after the first of two outputs. */
async function addJob({ asks, publishingSinceMs, waitingReason = 'waiting-for-slot', number = 1 }: JobOptions) {
  const id = randomUUID();
  const isPublishing = publishingSinceMs !== null;
  const fence = isPublishing ? 2 : 1;
  await owner.query(
    `INSERT INTO job (id, tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
       disk_bytes, wall_time_s, inputs, outputs, state, waiting_reason, fence, dispatched_fence, publishing_since)
     VALUES ($1, 'default', $1, 'submitter', 'd', 'n', $2, $3::int, $3::int, $3::int, 1, '[]', '[{}, {}]', 'QUEUED', $4, $5::int, $5::int - 1,
       now() - make_interval(secs => $6::float8))`,
    [id, ARCHITECTURE, asks, waitingReason, fence, (publishingSinceMs ?? 0) / 1000],
  );
  await owner.query(`INSERT INTO job_output_claim (key, number, job_id) VALUES ('\\x01'::bytea, $2, $1)`, [id, number]);
  if (!isPublishing) {
    await owner.query('UPDATE job SET publishing_since = NULL WHERE id = $1', [id]);
    return id;
  }
  await owner.query('SELECT porin.enqueue($1, false)', [id]);
  await owner.query(
    `INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at, started_at, ended_at, error_code, error_message)
     SELECT $1, 1, $2, 'LOST', now(), publishing_since - interval '1 s', now(), 'lease-lost', 'The worker is lost.'
     FROM job WHERE id = $1`,
    [id, nodeId],
  );
  await owner.query(`INSERT INTO publication (job_id, attempt_number, node_id) VALUES ($1, 1, $2)`, [id, nodeId]);
  await owner.query(
    `INSERT INTO job_output (job_id, attempt_number, path, url, sha256, bytes, temporary, position, published_at)
     VALUES ($1, 1, '/out/a', 'file:///a', 's', 1, 't0', 0, now()), ($1, 1, '/out/b', 'file:///b', 's', 1, 't1', 1, NULL)`,
    [id],
  );
  return id;
}

async function jobRow(id: string) {
  const { rows } = await owner.query<Record<string, unknown>>(
    `SELECT state, error_code AS "errorCode", error_message AS "errorMessage", waiting_reason AS "waitingReason" FROM job WHERE id = $1`,
    [id],
  );
  return rows[0];
}

const TERMS = { tellMs: 2_500, reserveAfterMs: 60_000, usageHalfLifeMs: 3_600_000 };
const SECRETS = new SecretSealer(undefined, pino({ level: 'silent' }));
const placed = async () =>
  (await api.transaction((manager) => new Placement(new Patience(10_000), TERMS, SECRETS).round(manager))).placed.map(
    ({ jobId }) => jobId,
  );
const endOverdue = () => api.transaction((manager) => endOverduePublications(manager, DAY_MS));

describe('a job that publishes', () => {
  it('goes to the node that has staged its outputs and has less by now than the payload needed', async () => {
    const id = await addJob({ asks: LARGE, publishingSinceMs: 1000 });
    expect(await placed()).toEqual([id]);
    expect(await store.peek({ jobId: id, attempt: 2 })).toEqual({ cpuMilli: 0, memoryBytes: 0, diskBytes: 0 });
    const claim = await store.claim({ jobId: id, attempt: 2 });
    expect(claim?.publication?.outputs.map(({ isPublished }) => isPublished)).toEqual([true, false]);
    expect(claim?.share).toEqual({ cpuMilli: LARGE, memoryBytes: LARGE, diskBytes: LARGE });
  });

  it('takes a slot, and no share of those that run beside it, before it and after it', async () => {
    const first = await addJob({ asks: SMALL, publishingSinceMs: 1000 });
    expect(await placed()).toEqual([first]);
    expect(await store.claim({ jobId: first, attempt: 2 })).toBeDefined();
    await new PublicationStore(node, { leaseMs: 60_000 }).resume({ jobId: first, number: 2 });
    const whole = await addJob({ asks: SMALL, publishingSinceMs: null, number: 2 });
    await owner.query('SELECT porin.enqueue($1, false)', [whole]);
    const third = await addJob({ asks: SMALL, publishingSinceMs: 1000, number: 3 });
    expect(await placed()).toEqual([whole]);
    expect(await store.peek({ jobId: whole, attempt: 1 })).toEqual({
      ...{ cpuMilli: SMALL, memoryBytes: SMALL, diskBytes: SMALL },
    });
    expect(await store.claim({ jobId: whole, attempt: 1 })).toBeDefined();
    // Two slots are taken.
    expect(await placed()).toEqual([]);
    await owner.query(`UPDATE attempt SET state = 'LOST', ended_at = now() WHERE job_id = $1 AND number = 2`, [first]);
    expect(await placed()).toEqual([third]);
    expect(await store.claim({ jobId: third, attempt: 2 })).toBeDefined();
  });

  it('keeps the share of its payload in the attempt that ran it', async () => {
    const id = await addJob({ asks: SMALL, publishingSinceMs: 1000 });
    await owner.query('DELETE FROM attempt WHERE job_id = $1', [id]);
    await owner.query(
      `INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at, started_at)
       SELECT $1, 1, $2, 'PUBLISHING', now() + interval '1 h', publishing_since - interval '1 s' FROM job WHERE id = $1`,
      [id, nodeId],
    );
    await owner.query(`UPDATE job SET state = 'INITIALIZING', fence = 1 WHERE id = $1`, [id]);
    const other = await addJob({ asks: 1, publishingSinceMs: null, number: 2 });
    await owner.query('SELECT porin.enqueue($1, false)', [other]);
    expect(await placed()).toEqual([]);
  });

  it('is not too large for the nodes that are there, while a payload that asks for as much is', async () => {
    const publishing = await addJob({ asks: LARGE, publishingSinceMs: 1000 });
    const other = await addJob({ asks: LARGE, publishingSinceMs: null, number: 2 });
    await owner.query('SELECT porin.enqueue($1, false)', [other]);
    expect(await placed()).toEqual([publishing]);
    expect(await jobRow(other)).toMatchObject({ errorCode: 'resources-unavailable' });
    expect(await jobRow(publishing)).toMatchObject({ state: 'QUEUED', errorCode: null });
  });
});

describe('a job that publishes and that nobody goes on with', () => {
  it('ends after a time with what is in place, and whoever waits for its outputs goes on', async () => {
    await setNode('GONE', SMALL);
    const dead = await addJob({
      asks: SMALL,
      publishingSinceMs: DAY_MS + 1000,
      waitingReason: 'retry-after-lost-worker',
    });
    const waits = await addJob({ asks: 1, publishingSinceMs: null, waitingReason: 'waiting-for-output', number: 2 });
    await endOverdue();
    expect(await jobRow(dead)).toEqual({
      state: 'SYSTEM_ERROR',
      errorCode: 'publication-incomplete',
      errorMessage:
        'Not all outputs could be put in place. The worker is lost. No node has put the rest in place within 86400 s. In place: /out/a.',
      waitingReason: null,
    });
    await api.transaction(releaseOutputs);
    expect(await jobRow(waits)).toMatchObject({ state: 'QUEUED', waitingReason: 'waiting-for-slot' });
  });

  it('waits until then, and is left to the attempt that is at work on it', async () => {
    const early = await addJob({ asks: SMALL, publishingSinceMs: DAY_MS - 60_000 });
    const late = await addJob({ asks: SMALL, publishingSinceMs: DAY_MS + 60_000, number: 2 });
    expect((await placed()).sort()).toEqual([early, late].sort());
    expect(await store.claim({ jobId: late, attempt: 2 })).toBeDefined();
    await endOverdue();
    expect(await jobRow(early)).toMatchObject({ state: 'QUEUED' });
    expect(await jobRow(late)).toMatchObject({ state: 'INITIALIZING' });
  });
});
