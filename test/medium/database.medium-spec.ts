import { randomUUID } from 'node:crypto';
import { checkSchema, ENTITIES, makeDataSource, migrate, SchemaError } from '#lib/database';
import pg from 'pg';
import { type DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTestDatabase, type TestDatabase } from '../support/database.js';

const INSUFFICIENT_PRIVILEGE = '42501';
const UNIQUE_VIOLATION = '23505';
const CHECK_VIOLATION = '23514';

let database: TestDatabase;
let owner: pg.Client;
let api: pg.Client;
let worker: pg.Client;
let dataSource: DataSource;

beforeAll(async () => {
  database = await makeTestDatabase();
  [owner, api, worker] = [database.ownerUrl, database.apiUrl, database.workerUrl].map(
    (connectionString) => new pg.Client({ connectionString }),
  ) as [pg.Client, pg.Client, pg.Client];
  await Promise.all([owner.connect(), api.connect(), worker.connect()]);
  dataSource = await makeDataSource({ url: database.apiUrl, applicationName: 'test' }).initialize();
});

afterAll(async () => {
  await dataSource.destroy();
  await Promise.all([owner.end(), api.end(), worker.end()]);
  await database.drop();
});

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: { code: string }) => error.code,
  );

async function insertBuild(): Promise<string> {
  const application = await owner.query<{ id: string }>(
    `INSERT INTO application (tenant, name, image) VALUES ('default', $1, 'i') RETURNING id`,
    [randomUUID()],
  );
  const build = await owner.query<{ id: string }>(
    `INSERT INTO build (application_id, content_digest, architecture, image_reference) VALUES ($1, $2, 'x86_64', 'i') RETURNING id`,
    [application.rows[0]?.id, randomUUID()],
  );
  return build.rows[0]?.id ?? '';
}

function insertVersion(build: string, number: number, state: string): Promise<{ rows: { id: string }[] }> {
  return owner.query(
    `INSERT INTO profile_version (build_id, number, digest, canonical, coverage, state, statement, signature)
     VALUES ($1, $2, $3, '{}', '{}', $4, 's', 's') RETURNING id`,
    [build, number, `sha256:${randomUUID()}`, state],
  );
}

async function insertJob(): Promise<string> {
  const job = await api.query<{ id: string }>(
    `INSERT INTO job (tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
       disk_bytes, wall_time_s, inputs, outputs)
     VALUES ('default', $1, 'submitter', 'd', 'n', 'x86_64', 1000, 1, 1, 1, '[]', '[]') RETURNING id`,
    [randomUUID()],
  );
  return job.rows[0]?.id ?? '';
}

describe('migrations', () => {
  it('can run again, and at the same time, without effect', async () => {
    await Promise.all([migrate({ ownerUrl: database.ownerUrl }), migrate({ ownerUrl: database.ownerUrl })]);
    await checkSchema((sql) => dataSource.query(sql));
  });

  it('refuses a database that is newer than the program', async () => {
    const newer = () => Promise.resolve([{ name: 'CreateSchema1764000000000' }, { name: 'FromTheFuture1' }]);
    await expect(checkSchema(newer)).rejects.toThrow(SchemaError);
  });

  it('refuses a database that lacks a migration', async () => {
    await expect(checkSchema(() => Promise.resolve([]))).rejects.toThrow('porin -- migrate');
  });

  it.each(ENTITIES.map((entity) => [entity.name, entity] as const))(
    'the entity %s has only columns that the table has, and all that the table demands',
    async (_name, entity) => {
      const metadata = dataSource.getMetadata(entity);
      const { rows } = await owner.query<{ column_name: string; nullable: string; fallback: string | null }>(
        `SELECT column_name, is_nullable AS nullable, coalesce(column_default, identity_generation) AS fallback
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1`,
        [metadata.tableName],
      );
      const mapped = metadata.columns.map((column) => column.databaseName);
      expect(rows.map((row) => row.column_name)).toEqual(expect.arrayContaining(mapped));
      const demanded = rows
        .filter((row) => row.nullable === 'NO' && row.fallback === null)
        .map((row) => row.column_name);
      expect(mapped).toEqual(expect.arrayContaining(demanded));
    },
  );
});

describe('the three roles', () => {
  it.each(['approval', 'api_key', 'audit', 'outbox'])('the worker cannot read %s', async (table) => {
    expect(await code(worker.query(`SELECT * FROM ${table}`))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  it.each([
    `INSERT INTO profile_version (build_id, number, digest, canonical, coverage, state) VALUES (gen_random_uuid(), 1, 'd', '{}', '{}', 'PROPOSED')`,
    `UPDATE profile_version SET state = 'APPROVED'`,
    `UPDATE job SET fence = fence + 1`,
    `UPDATE job SET dispatched_fence = fence`,
    `UPDATE job SET submitted_role = 'admin'`,
    `UPDATE application SET policy = 'learn'`,
    `DELETE FROM recording`,
  ])('the worker cannot %s', async (sql) => {
    expect(await code(worker.query(sql))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  it('the API cannot change or delete a decision', async () => {
    expect(await code(api.query(`UPDATE approval SET reason = 'x'`))).toBe(INSUFFICIENT_PRIVILEGE);
    expect(await code(api.query(`DELETE FROM approval`))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  it('nobody can change the audit trail, not even its owner', async () => {
    await api.query(
      `INSERT INTO audit (tenant, actor, action, subject_type, subject_id) VALUES ('default', 'a', 'b', 'c', 'd')`,
    );
    for (const sql of [`UPDATE audit SET actor = 'x'`, `DELETE FROM audit`, `TRUNCATE audit`]) {
      expect(await code(owner.query(sql))).toBe(INSUFFICIENT_PRIVILEGE);
    }
  });

  it('a role cannot make tables', async () => {
    for (const client of [api, worker]) {
      expect(await code(client.query('CREATE TABLE mine (id int)'))).toBe(INSUFFICIENT_PRIVILEGE);
    }
  });
});

describe('profile versions', () => {
  it('has at most one approved and one proposed version per build', async () => {
    const build = await insertBuild();
    await insertVersion(build, 1, 'APPROVED');
    expect(await code(insertVersion(build, 2, 'APPROVED'))).toBe(UNIQUE_VIOLATION);
    await insertVersion(build, 2, 'PROPOSED');
    expect(await code(insertVersion(build, 3, 'PROPOSED'))).toBe(UNIQUE_VIOLATION);
  });

  it('cannot be approved without a signed statement', async () => {
    const { rows } = await insertVersion(await insertBuild(), 1, 'PROPOSED');
    const approve = `UPDATE profile_version SET state = 'APPROVED', signature = NULL WHERE id = $1`;
    expect(await code(owner.query(approve, [rows[0]?.id]))).toBe(CHECK_VIOLATION);
  });

  it('cannot be rewritten once it is there', async () => {
    const { rows } = await insertVersion(await insertBuild(), 1, 'PROPOSED');
    for (const change of [
      `canonical = '{"a":1}'`,
      `digest = 'sha256:0'`,
      'number = 9',
      'build_id = gen_random_uuid()',
    ]) {
      expect(await code(api.query(`UPDATE profile_version SET ${change} WHERE id = $1`, [rows[0]?.id]))).toBe(
        INSUFFICIENT_PRIVILEGE,
      );
    }
  });
});

describe('jobs', () => {
  it('has at most one open attempt', async () => {
    const job = await insertJob();
    const node = await worker.query<{ id: string }>(
      `INSERT INTO node (name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts)
       VALUES ($1, 'x86_64', 'READY', 1, 1, 1, 1, '{}', '{}') RETURNING id`,
      [randomUUID()],
    );
    const open = (number: number) =>
      worker.query(
        `INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at) VALUES ($1, $2, $3, 'OPEN', now())`,
        [job, number, node.rows[0]?.id],
      );
    await open(1);
    expect(await code(open(2))).toBe(UNIQUE_VIOLATION);
  });

  it('wakes the dispatcher when an outbox row is written, and the worker when a job is canceled', async () => {
    const heard: string[] = [];
    api.on('notification', (message) => heard.push(`${message.channel}:${message.payload ?? ''}`));
    await api.query('LISTEN porin_outbox');
    await api.query('LISTEN porin_cancel');
    const job = await insertJob();
    await api.query('INSERT INTO outbox (job_id, attempt_number) VALUES ($1, 1)', [job]);
    await api.query(`UPDATE job SET state = 'CANCELING' WHERE id = $1`, [job]);
    await api.query('SELECT 1');
    expect(heard).toEqual(['porin_outbox:', `porin_cancel:${job}`]);
  });
});
