/** The halves of a restore, and what a stolen node can do against them, against migrations and against its own end: nothing. */
import {
  checkSchema,
  Connection,
  finishRestore,
  migrate,
  type NodeCredentials,
  pastNodes,
  prepareRestore,
  rekeyNode,
  removeNode,
  SchemaError,
  UNFINISHED_RESTORE,
} from '#lib/database';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addTestNode, makeTestDatabase, nodeDatabaseUrl, type TestDatabase } from '../support/database.js';
import { required } from '../support/environment.js';
import { openAsNode } from '../support/test-node.js';
import { asSchemaProblem } from '../../apps/worker/src/store/node-database.js';

let database: TestDatabase;
let owner: pg.Client;
let node: NodeCredentials;
let clients: pg.Client[];
let roles: string[];

beforeEach(async () => {
  database = await makeTestDatabase();
  [clients, roles] = [[], []];
  owner = await connect(database.ownerUrl);
  node = await addNode('stolen');
  await owner.query(`INSERT INTO application (tenant, name, image) VALUES ('default', 'a', 'i')`);
});
afterEach(async () => {
  for (const client of clients) await client.end().catch(() => undefined);
  await database.drop();
  // A restore leaves those of before, for a grid that may need them.
  const superuser = await connect(required('PORIN_TEST_DATABASE_URL'));
  for (const role of roles) await superuser.query(`DROP ROLE IF EXISTS ${role}`);
  await superuser.end();
});

async function addNode(name: string): Promise<NodeCredentials> {
  const credentials = await addTestNode(database.ownerUrl, name);
  roles.push(credentials.roleName);
  return credentials;
}

async function connect(connectionString: string, name = 'test'): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, application_name: name });
  client.on('error', () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}

/** With the node's credentials, and as long as it likes. */
async function thief(name?: string): Promise<pg.Client> {
  const client = await connect(nodeDatabaseUrl(database.ownerUrl, node), name);
  await client.query('SET idle_in_transaction_session_timeout = 0');
  await client.query('SET statement_timeout = 0');
  return client;
}

/** Locks on its row and on tables, for as long as the session lasts. */
async function holdTables(client: pg.Client): Promise<void> {
  await client.query('BEGIN');
  await client.query(`SELECT porin.node_heartbeat('{"state": "DRAINING"}'), porin.node_lose_open('{}')`);
}

const check = () => checkSchema(async (sql) => (await owner.query<{ name: string }>(sql)).rows);
const opens = (credentials: NodeCredentials) =>
  connect(nodeDatabaseUrl(database.ownerUrl, credentials)).then(
    () => true,
    () => false,
  );
/** As pg_restore does: everything is there, and nothing was finished. */
const restoreRows = () => migrate({ ownerUrl: database.ownerUrl }, { isRestore: true });
const finish = () => finishRestore({ ownerUrl: database.ownerUrl });

describe('a restore that ended between its halves', () => {
  it('is no grid to anybody before it is finished', async () => {
    const { ownerUrl } = database;
    await expect(prepareRestore(ownerUrl, { replace: false })).rejects.toThrow('holds a grid already');
    await prepareRestore(ownerUrl, { replace: true });
    await expect(finish()).rejects.toThrow('run pg_restore first');
    await prepareRestore(ownerUrl, { replace: false });

    await restoreRows();
    await expect(check()).rejects.toThrow(UNFINISHED_RESTORE);
    await expect(check()).rejects.toThrow(SchemaError);
    await expect(migrate({ ownerUrl })).rejects.toThrow('porin-admin restore finish');
    await expect(prepareRestore(ownerUrl, { replace: false })).rejects.toThrow('porin-admin restore finish');
    const worker = openAsNode(ownerUrl, await addNode('node-1'));
    await expect(worker.checkSchema()).rejects.toThrow(UNFINISHED_RESTORE);
    await expect(worker.call('node_clock').catch(asSchemaProblem)).rejects.toThrow(SchemaError);
    await worker.end();

    expect(await finish()).toMatchObject({ nodes: ['node-1'] });
    await check();
    await migrate({ ownerUrl });
    await expect(finish()).rejects.toThrow('no restore to finish');
  });

  it('can be begun anew', async () => {
    await prepareRestore(database.ownerUrl, { replace: true });
    await restoreRows();
    await prepareRestore(database.ownerUrl, { replace: true });
    await expect(finish()).rejects.toThrow('run pg_restore first');
    await restoreRows();
    await finish();
    await check();
  });

  it('is not finished under programs of ours', async () => {
    await prepareRestore(database.ownerUrl, { replace: true });
    await restoreRows();
    const api = await connect(database.ownerUrl, 'porin-api');
    await expect(finish()).rejects.toThrow('Stop the API and the workers first: porin-api');
    await api.end();
    await finish();
  });
});

describe('the end of a restore', () => {
  it('is refused to a grid that runs, which loses nothing', async () => {
    const { rows } = await owner.query<{ id: string }>(
      `INSERT INTO job (tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
         disk_bytes, wall_time_s, inputs, outputs) VALUES ('default', gen_random_uuid(), 'submitter', 'd', 'n', 'x86_64', 1, 1, 1, 1, '[]', '[]')
       RETURNING id`,
    );
    await owner.query(
      `INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at) VALUES ($1, 1, $2, 'OPEN', now())`,
      [rows[0]?.id, node.id],
    );
    await expect(finish()).rejects.toThrow('no restore to finish');
    expect((await owner.query('SELECT state FROM attempt')).rows).toEqual([{ state: 'OPEN' }]);
  });

  const next = async () =>
    Number((await owner.query<{ n: string }>(`SELECT nextval('porin.approval_sequence') AS n`)).rows[0]?.n);
  const restored = async () => {
    await prepareRestore(database.ownerUrl, { replace: true });
    await restoreRows();
    await finish();
    return next();
  };

  it('begins each life of one backup with numbers of its own', async () => {
    const first = await restored();
    expect(first).toBeGreaterThan(Date.now() - 60_000);
    const later = await next();
    const second = await restored();
    expect(second).toBeGreaterThan(later);
    await owner.query(`SELECT setval('porin.approval_sequence', 5000000000000)`);
    expect(await restored()).toBeGreaterThan(5_000_000_000_000);
  });

  it('does so in another database too, where nobody knows of the replaced one', async () => {
    const before = await next();
    await prepareRestore(database.ownerUrl, { replace: true });
    await restoreRows();
    await owner.query('TRUNCATE porin_restore.replaced');
    await finish();
    expect(await next()).toBeGreaterThan(Math.max(before + 1_000_000, Date.now() - 60_000));
  });

  it('leaves no password of before that opens anything', async () => {
    await prepareRestore(database.ownerUrl, { replace: true });
    expect(await opens(node)).toBe(false);
    await restoreRows();
    const inBackup = await addNode('in-backup');
    expect(await opens(inBackup)).toBe(true);
    await finish();
    expect(await opens(inBackup)).toBe(false);
    const next = await addNode('in-backup');
    const worker = openAsNode(database.ownerUrl, next);
    expect(await worker.call('node_clock')).toBeGreaterThan(0);
    await worker.end();
  });

  it('leaves nodes of the grid alone that the backup is a copy of', async () => {
    const copy = await makeTestDatabase();
    const elsewhere = await connect(copy.ownerUrl);
    await prepareRestore(copy.ownerUrl, { replace: true });
    await migrate({ ownerUrl: copy.ownerUrl }, { isRestore: true });
    await elsewhere.query(
      `INSERT INTO porin.node (name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts, role_name)
       VALUES ('stolen', 'x86_64', 'READY', 1, 1, 1, 1, '{}', '{}', $1)`,
      [node.roleName],
    );
    const original = await thief();
    await finishRestore({ ownerUrl: copy.ownerUrl });
    expect((await original.query(`SELECT porin.node_clock('{}') > '0' AS answers`)).rows).toEqual([{ answers: true }]);
    expect(await opens(node)).toBe(true);
    const inCopy = await connect(nodeDatabaseUrl(copy.ownerUrl, node));
    await expect(inCopy.query(`SELECT porin.node_clock('{}')`)).rejects.toThrow('is of no node');
    await inCopy.end();
    await elsewhere.end();
    await copy.drop();
  });
});

describe('a stolen node', () => {
  it('does not hold up a migration, by its lock or by a transaction', async () => {
    await (await thief()).query('SELECT pg_advisory_lock(7060117)');
    await holdTables(await thief());
    await owner.query('COMMENT ON SCHEMA porin IS NULL');
    await migrate({ ownerUrl: database.ownerUrl });
    await check();
  });

  it('does not hold up a restore, whatever it calls itself', async () => {
    await holdTables(await thief('porin-api'));
    await (await thief('porin-dispatch')).query('SELECT pg_advisory_lock(7060117)');
    await prepareRestore(database.ownerUrl, { replace: true });
    await restoreRows();
    node = await addNode('stolen');
    const again = await connect(nodeDatabaseUrl(database.ownerUrl, node), 'porin-x');
    await again.query('SELECT pg_advisory_lock(7060117)');
    await finish();
    await check();
  });

  it('does not hold up its own end, and leaves nothing in the role of its successor', async () => {
    const role = await thief();
    for (const setting of ['default_transaction_read_only = on', 'statement_timeout = 0', `search_path = 'mine'`]) {
      await role.query(`ALTER ROLE CURRENT_USER SET ${setting}`);
    }
    await holdTables(role);
    await role.query(`ALTER ROLE CURRENT_USER PASSWORD 'mine'`);
    const byOwner = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
      const connection = new Connection({ connectionString: database.ownerUrl });
      await connection.connect();
      try {
        return await pastNodes(database.ownerUrl, () => work(connection));
      } finally {
        await connection.end();
      }
    };
    const successor = await byOwner((connection) => rekeyNode(connection, 'stolen', 'test'));
    expect(await opens(node)).toBe(false);
    expect((await owner.query('SELECT FROM pg_roles WHERE rolname = $1', [node.roleName])).rowCount).toBe(0);
    node = successor;
    const honest = await connect(nodeDatabaseUrl(database.ownerUrl, node));
    const shown = ['default_transaction_read_only', 'statement_timeout'].map(
      async (name) => Object.values((await honest.query<Record<string, string>>(`SHOW ${name}`)).rows[0] ?? {})[0],
    );
    expect(await Promise.all(shown)).toEqual(['off', '30s']);
    await holdTables(honest);
    await byOwner((connection) => removeNode(connection, 'stolen', 'test'));
    expect(await opens(node)).toBe(false);
  });
});
