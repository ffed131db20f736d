import { randomUUID } from 'node:crypto';
import { checkSchema, ENTITIES, makeDataSource, migrate, MIGRATIONS, SchemaError } from '#lib/database';
import { LANDLOCK_STATUSES, MONITORINGS } from '#lib/profiles';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeEmptyDatabase, makeTestDatabase, type TestDatabase } from '../support/database.js';

const INSUFFICIENT_PRIVILEGE = '42501';
const UNIQUE_VIOLATION = '23505';
const CHECK_VIOLATION = '23514';

let database: TestDatabase;
let owner: pg.Client;
let api: pg.Client;
let dataSource: DataSource;

beforeAll(async () => {
  database = await makeTestDatabase();
  [owner, api] = [database.ownerUrl, database.apiUrl].map(
    (connectionString) => new pg.Client({ connectionString }),
  ) as [pg.Client, pg.Client];
  await Promise.all([owner.connect(), api.connect()]);
  dataSource = await makeDataSource({ url: database.apiUrl, applicationName: 'test' }).initialize();
});

afterAll(async () => {
  await dataSource.destroy();
  await Promise.all([owner.end(), api.end()]);
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
    `INSERT INTO profile_version (build_id, number, digest, canonical, coverage, state, stage, statement, signature)
     VALUES ($1, $2, $3, '{}', '{}', $4, 'enforce', 's', 's') RETURNING id`,
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
    const newer = () => Promise.resolve([...MIGRATIONS.map(({ name }) => ({ name })), { name: 'FromTheFuture1' }]);
    await expect(checkSchema(newer)).rejects.toThrow(SchemaError);
  });

  it('refuses a database that lacks a migration', async () => {
    await expect(checkSchema(() => Promise.resolve([]))).rejects.toThrow('porin-admin -- migrate');
  });

  it.each(ENTITIES.map((entity) => [entity.name, entity] as const))(
    'the entity %s has only columns that the table has, and all that the table demands',
    async (_name, entity) => {
      const metadata = dataSource.getMetadata(entity);
      const { rows } = await owner.query<{ column_name: string; nullable: string; fallback: string | null }>(
        `SELECT column_name, is_nullable AS nullable, coalesce(column_default, identity_generation) AS fallback
         FROM information_schema.columns WHERE table_schema = 'porin' AND table_name = $1`,
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

describe('the roles', () => {
  it('the API adds no nodes and gives them no keys', async () => {
    for (const sql of [
      `UPDATE node SET public_key = 'mine'`,
      `UPDATE node SET maximum_slots = 99`,
      `UPDATE node SET role_name = 'porin_api'`,
    ]) {
      expect(await code(api.query(sql))).toBe(INSUFFICIENT_PRIVILEGE);
    }
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
    for (const what of ['TABLE mine (id int)', 'TEMP TABLE mine (id int)', 'TABLE public.mine (id int)']) {
      expect(await code(api.query(`CREATE ${what}`))).toBe(INSUFFICIENT_PRIVILEGE);
    }
  });
});

describe('applications', () => {
  it.each(['{}', '{256}', '{-1}', '{NULL}', `{${Array.from({ length: 33 }, (_, code) => code).join()}}`])(
    'cannot expect the exit codes %s',
    async (codes) => {
      const insert = `INSERT INTO application (tenant, name, image, expected_exit_codes) VALUES ('default', 'n', 'i', $1)`;
      expect(await code(api.query(insert, [codes]))).toBe(CHECK_VIOLATION);
    },
  );
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

async function insertNode(): Promise<string> {
  const node = await owner.query<{ id: string }>(
    `INSERT INTO node (name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts)
     VALUES ($1, 'x86_64', 'READY', 1, 1, 1, 1, '{}', '{}') RETURNING id`,
    [randomUUID()],
  );
  return node.rows[0]?.id ?? '';
}

/** Of an open attempt of a job of its own. */
async function insertRun(monitoring = 'syscalls'): Promise<string> {
  const [id, job, node, build] = [randomUUID(), await insertJob(), await insertNode(), await insertBuild()];
  await owner.query(
    `INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at) VALUES ($1, 1, $2, 'OPEN', now())`,
    [job, node],
  );
  await owner.query(
    `INSERT INTO executor_run (id, job_id, attempt_number, position, build_id, node_id, enforcement, monitoring,
       selection_reason, filter_digest, inputs_digest, node_facts)
     VALUES ($1, $2, 1, 0, $3, $4, 'none', $5, 'r', 'f', 'i', '{}')`,
    [id, job, build, node, monitoring],
  );
  return id;
}

function insertDenial(client: pg.Client, run: string, position: number): Promise<unknown> {
  return client.query(
    `INSERT INTO denial (executor_run_id, position, call, shape, action, description, count)
     VALUES ($1, $2, 'socket', '{}', 'refused', 'd', 1)`,
    [run, position],
  );
}

describe('denials', () => {
  it('are added while a run goes on, one at each position, and counted on', async () => {
    const run = await insertRun();
    await insertDenial(owner, run, 0);
    await insertDenial(owner, run, 1);
    expect(await code(insertDenial(owner, run, 1))).toBe(UNIQUE_VIOLATION);
    expect(await code(insertDenial(owner, run, -1))).toBe(CHECK_VIOLATION);
    await owner.query('UPDATE denial SET count = 1000000 WHERE executor_run_id = $1 AND position = 1', [run]);
    const { rows } = await api.query<{ count: string }>(
      'SELECT count FROM denial WHERE executor_run_id = $1 ORDER BY position',
      [run],
    );
    expect(rows.map(({ count }) => count)).toEqual(['1', '1000000']);
  });

  it('cannot be written or changed by the API', async () => {
    const run = await insertRun();
    await insertDenial(owner, run, 0);
    expect(await code(insertDenial(api, run, 1))).toBe(INSUFFICIENT_PRIVILEGE);
    expect(await code(api.query('UPDATE denial SET count = 0'))).toBe(INSUFFICIENT_PRIVILEGE);
  });
});

describe('executor runs', () => {
  it('say how much of the file rules was held, in the words of the model', async () => {
    const run = await insertRun();
    const status = async () =>
      (await owner.query<{ status: string }>('SELECT landlock_status AS status FROM executor_run WHERE id = $1', [run]))
        .rows[0]?.status;
    expect(await status()).toBe('NOT_ENFORCED');
    const change = (to: string) => owner.query('UPDATE executor_run SET landlock_status = $2 WHERE id = $1', [run, to]);
    for (const known of LANDLOCK_STATUSES) {
      await change(known);
      expect(await status()).toBe(known);
    }
    expect(await code(change('not enforced'))).toBe(CHECK_VIOLATION);
  });

  it.each(MONITORINGS)('can be monitored with %s', async (monitoring) => {
    expect(await insertRun(monitoring)).toBeTruthy();
  });

  it('have at most one trace, in chunks that nobody changes', async () => {
    const run = await insertRun('trace');
    const add = (kind: string) =>
      owner.query<{ id: string }>('INSERT INTO artifact (executor_run_id, kind) VALUES ($1, $2) RETURNING id', [
        run,
        kind,
      ]);
    const { rows } = await add('trace');
    expect(await code(add('trace'))).toBe(UNIQUE_VIOLATION);
    expect(await code(add('core'))).toBe(CHECK_VIOLATION);
    await owner.query('INSERT INTO artifact_chunk (artifact_id, byte_offset, content) VALUES ($1, 0, $2)', [
      rows[0]?.id,
      Buffer.from('gzip'),
    ]);
    expect(await code(api.query(`UPDATE artifact_chunk SET content = ''`))).toBe(INSUFFICIENT_PRIVILEGE);
    await owner.query('UPDATE artifact SET truncated = true, bytes = 4 WHERE id = $1', [rows[0]?.id]);
  });
});

describe('the migrations after the first', () => {
  it('bring rows of the first schema over', async () => {
    const other = await makeEmptyDatabase();
    const { options } = makeDataSource({ url: other.ownerUrl, applicationName: 'test', poolSize: 1 });
    const old = await new DataSource({ ...options, migrations: MIGRATIONS.slice(0, 1) }).initialize();
    await old.runMigrations();
    await old.query(FIRST_SCHEMA_ROWS);
    await old.destroy();
    await migrate({ ownerUrl: other.ownerUrl });
    const source = await new DataSource(options).initialize();
    try {
      expect(await source.query('SELECT landlock_status FROM executor_run')).toEqual([
        { landlock_status: 'NOT_ENFORCED' },
      ]);
      expect(await source.query('SELECT call, position FROM denial ORDER BY id')).toEqual([
        { call: 'socket', position: 0 },
        { call: 'bpf', position: 1 },
      ]);
      expect(await source.query('SELECT kind, truncated FROM artifact ORDER BY kind')).toEqual([
        { kind: 'stderr', truncated: false },
        { kind: 'stdout', truncated: true },
      ]);
      const known = await source.query(
        `SELECT conditions_taught, content_bytes > 0 AS counted, call_names, reconsider_since IS NOT NULL AS again
         FROM profile_version, recording, build`,
      );
      expect(known).toEqual([{ conditions_taught: true, counted: true, call_names: null, again: true }]);
      // Each key has a principal of its own, by whose id earlier rows name it.
      const keys = await source.query(
        `SELECT key.principal_id = key.id AS own, tenant, kind, regexp_replace(principal.name, '[-0-9a-f]{36}', 'id') AS name
         FROM api_key AS key JOIN principal ON principal.id = principal_id ORDER BY key.name, tenant, 4`,
      );
      expect(keys).toEqual([
        { own: true, tenant: 'default', kind: 'service', name: 'ci' },
        { own: true, tenant: 'lab', kind: 'service', name: 'twice id' },
        { own: true, tenant: 'lab', kind: 'service', name: 'twice id' },
      ]);
    } finally {
      await source.destroy();
      await other.drop();
    }
  });
});

/** A job, its run, a recording, two denials and two logs, one of them over its limit, and a version with conditions. */
const FIRST_SCHEMA_ROWS = `
WITH keys AS (
  INSERT INTO api_key (tenant, name, role, sha256, expires_at)
  SELECT tenant, name, 'admin', sha256(random()::text::bytea), now()
  FROM (VALUES ('default', 'ci'), ('lab', 'twice'), ('lab', 'twice')) AS given(tenant, name)
), application AS (
  INSERT INTO application (tenant, name, image) VALUES ('default', 'a', 'i') RETURNING id
), build AS (
  INSERT INTO build (application_id, content_digest, architecture, image_reference)
  SELECT id, 'd', 'x86_64', 'i' FROM application RETURNING id
), node AS (
  INSERT INTO node (name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts)
  VALUES ('n', 'x86_64', 'READY', 1, 1, 1, 1, '{}', '{}') RETURNING id
), job AS (
  INSERT INTO job (tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
    disk_bytes, wall_time_s, inputs, outputs)
  VALUES ('default', gen_random_uuid(), 'submitter', 'd', 'n', 'x86_64', 1000, 1, 1, 1, '[]', '[]') RETURNING id
), attempt AS (
  INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at)
  SELECT job.id, 1, node.id, 'OPEN', now() FROM job, node RETURNING job_id
), run AS (
  INSERT INTO executor_run (id, job_id, attempt_number, position, build_id, node_id, enforcement, monitoring,
    selection_reason, filter_digest, inputs_digest, node_facts)
  SELECT gen_random_uuid(), attempt.job_id, 1, 0, build.id, node.id, 'none', 'none', 'r', 'f', 'i', '{}'
  FROM attempt, build, node RETURNING id
), recording AS (
  INSERT INTO recording (executor_run_id, digest, content, partial_reasons) SELECT id, 'd', '{}', '{}' FROM run
), version AS (
  INSERT INTO profile_version (build_id, number, digest, canonical, coverage, state)
  SELECT id, 1, 'd', '{"rules":[{"action":"SCMP_ACT_ALLOW","args":[],"names":["read"]}]}', '{}', 'PROPOSED' FROM build
), artifacts AS (
  INSERT INTO artifact (executor_run_id, kind, dropped_bytes) SELECT id, kind, dropped
  FROM run, (VALUES ('stdout', 5), ('stderr', 0)) AS log(kind, dropped)
)
INSERT INTO denial (executor_run_id, call, shape, action, description, count)
SELECT id, call, '{}', 'refused', 'd', 1 FROM run, unnest(ARRAY['socket', 'bpf']) AS call`;

describe('jobs', () => {
  it('has at most one open attempt', async () => {
    const job = await insertJob();
    const node = await insertNode();
    const open = (number: number) =>
      owner.query(
        `INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at) VALUES ($1, $2, $3, 'OPEN', now())`,
        [job, number, node],
      );
    await open(1);
    expect(await code(open(2))).toBe(UNIQUE_VIOLATION);
  });

  it('wakes nobody by a submission, the dispatcher when an attempt ends, and the workers when a job is canceled, and tells them nothing', async () => {
    const heard: string[] = [];
    api.on('notification', (message) => heard.push(`${message.channel}:${message.payload ?? ''}`));
    await api.query('LISTEN porin_outbox');
    await api.query('LISTEN porin_cancel');
    const [job, node] = [await insertJob(), await insertNode()];
    await api.query('SELECT porin.enqueue($1, false)', [job]);
    await api.query('SELECT 1');
    expect(heard).toEqual([]);
    await api.query(`UPDATE job SET state = 'INITIALIZING' WHERE id = $1`, [job]);
    await owner.query(
      `INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at) VALUES ($1, 1, $2, 'OPEN', now())`,
      [job, node],
    );
    await owner.query(`UPDATE attempt SET state = 'FAILED', ended_at = now() WHERE job_id = $1`, [job]);
    await api.query(`UPDATE job SET state = 'CANCELING' WHERE id = $1`, [job]);
    await api.query('SELECT 1');
    expect(heard).toEqual(['porin_outbox:', 'porin_cancel:']);
  });
});
