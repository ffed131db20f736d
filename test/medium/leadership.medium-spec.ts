/** Two dispatchers on one database: one leads at a time, and one that was frozen writes nothing when it goes on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDataSource } from '#lib/database';
import pg from 'pg';
import { type DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Leadership, LeaseLostError } from '../../apps/dispatcher/src/leadership.js';
import { DIST_DIR } from '../../scripts/setup/paths.js';
import { makeTestDatabase, type TestDatabase } from '../support/database.js';
import { required } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { WorkerRows } from '../support/worker-rows.js';

const LEASE_MS = 1_000;

let database: TestDatabase;
let owner: pg.Client;
let rows: WorkerRows;
let dataSource: DataSource;
let directory: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  database = await makeTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  rows = await WorkerRows.connect(database.ownerUrl);
  dataSource = await makeDataSource({ url: database.apiUrl, applicationName: 'test' }).initialize();
  directory = mkdtempSync(join(tmpdir(), 'porin-lead-'));
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(join(directory, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
});
afterEach(async () => {
  for (const child of started.splice(0)) await end(child, 'SIGKILL');
});
afterAll(async () => {
  await dataSource.destroy();
  await rows.end();
  await owner.end();
  await database.drop();
  rmSync(directory, { recursive: true });
});

function startDispatcher(): ChildProcess {
  const child = spawn(process.execPath, [join(DIST_DIR, 'apps/dispatcher/src/main.js')], {
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      PORIN_DATABASE_URL: database.apiUrl,
      PORIN_REDIS_URL: required('PORIN_TEST_REDIS_URL'),
      PORIN_SIGNING_KEY_FILE: join(directory, 'key.pem'),
      PORIN_LEADER_LEASE_MS: String(LEASE_MS),
    },
  });
  started.push(child);
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

async function lease(): Promise<{ epoch: number; holder: string; isHeld: boolean }> {
  const answer = await owner.query<{ epoch: number; holder: string; isHeld: boolean }>(
    `SELECT epoch::integer, holder, expires_at > clock_timestamp() AS "isHeld" FROM dispatcher_lease`,
  );
  const [row] = answer.rows;
  if (!row) throw new Error('there is no lease');
  return row;
}

async function leads(child: ChildProcess): Promise<number> {
  let epoch = 0;
  await eventually(async () => {
    const now = await lease();
    expect(now).toMatchObject({ isHeld: true, holder: expect.stringContaining(`/${child.pid}/`) });
    epoch = now.epoch;
  });
  return epoch;
}

/** A job that is ready, and a node that has room for it. */
async function readyJob(): Promise<string> {
  await rows.addNode();
  const made = await owner.query<{ id: string }>(
    `INSERT INTO job (tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
       disk_bytes, wall_time_s, inputs, outputs, state, waiting_reason)
     VALUES ('default', gen_random_uuid(), 'submitter', 'd', 'n', 'x86_64', 1, 1, 1, 1, '[]', '[]', 'QUEUED', 'waiting-for-slot')
     RETURNING id`,
  );
  const id = made.rows[0]?.id ?? '';
  await owner.query('SELECT porin.enqueue($1, false)', [id]);
  return id;
}

async function placed(id: string): Promise<void> {
  await eventually(async () => {
    const { rowCount } = await owner.query('SELECT FROM job WHERE id = $1 AND dispatched_fence = fence', [id]);
    expect(rowCount).toBe(1);
  });
}

describe('of two dispatchers', () => {
  it('the other one leads when the first is frozen, and the first writes nothing more when it goes on', async () => {
    const first = startDispatcher();
    const firstEpoch = await leads(first);
    const second = startDispatcher();
    first.kill('SIGSTOP');
    const secondEpoch = await leads(second);
    expect(secondEpoch).toBeGreaterThan(firstEpoch);
    await placed(await readyJob());
    first.kill('SIGCONT');
    const stale = new Leadership(dataSource, String(firstEpoch));
    const write = stale.transaction((manager) => manager.query(`UPDATE node SET state = 'GONE'`));
    await expect(write).rejects.toThrow(LeaseLostError);
    expect((await owner.query(`SELECT FROM node WHERE state = 'GONE'`)).rowCount).toBe(0);
    expect(stale.lost.aborted).toBe(true);
    // It stands by, and takes over when the second one is gone.
    expect((await lease()).holder).toContain(`/${second.pid}/`);
    await end(second, 'SIGKILL');
    expect(await leads(first)).toBeGreaterThan(secondEpoch);
    await placed(await readyJob());
  });

  it('one that ends in order leaves the lease free at once', async () => {
    const first = startDispatcher();
    await leads(first);
    await end(first, 'SIGTERM');
    expect(first.exitCode).toBe(0);
    expect(await lease()).toMatchObject({ isHeld: false });
  });

  it('one takes its lease again when its connections were cut', async () => {
    const first = startDispatcher();
    const epoch = await leads(first);
    await owner.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'porin-dispatch%' AND datname = current_database()`,
    );
    await eventually(async () => expect((await lease()).epoch).toBeGreaterThan(epoch));
    await placed(await readyJob());
  });
});

describe('a leader’s transaction', () => {
  it('is not held up by a renewal, and holds up whoever would take the lease only while it ends', async () => {
    await owner.query(`UPDATE dispatcher_lease SET epoch = epoch + 1, expires_at = now() + interval '1 h'`);
    const { epoch } = await lease();
    const leadership = new Leadership(dataSource, String(epoch));
    const order: string[] = [];
    await leadership.transaction(async (manager) => {
      await manager.query('SELECT FROM dispatcher_lease WHERE epoch = $1 FOR KEY SHARE', [epoch]);
      await owner.query(`UPDATE dispatcher_lease SET expires_at = now() + interval '2 h' WHERE epoch = $1`, [epoch]);
      order.push('renewed');
      void owner.query('UPDATE dispatcher_lease SET epoch = epoch + 1').then(() => order.push('taken'));
      await manager.query('SELECT pg_sleep(0.2)');
      order.push('done');
    });
    await eventually(() => {
      expect(order).toEqual(['renewed', 'done', 'taken']);
      return Promise.resolve();
    });
    await expect(leadership.transaction(() => Promise.resolve())).rejects.toThrow(LeaseLostError);
  });
});
