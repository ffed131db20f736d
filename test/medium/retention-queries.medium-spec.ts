import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXPIRED_ARTIFACTS } from '../../apps/dispatcher/src/retention/expired.js';
import { makeTestDatabase, type TestDatabase } from '../support/database.js';

const JOBS = 20_000;

let database: TestDatabase;
let owner: pg.Client;

beforeAll(async () => {
  database = await makeTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query(`
    INSERT INTO application (tenant, name, image) VALUES ('default', 'a', 'i');
    INSERT INTO build (application_id, content_digest, architecture, image_reference) SELECT id, 'c', 'x86_64', 'i' FROM application;
    INSERT INTO node (name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts)
      VALUES ('n', 'x86_64', 'READY', 1, 1, 1, 1, '{none}', '{}');
    INSERT INTO job (tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
        disk_bytes, wall_time_s, inputs, outputs, state, ended_at)
      SELECT 'tenant ' || number % 5, gen_random_uuid(), 'submitter', 'd', 'n', 'x86_64', 1, 1, 1, 1, '[]', '[]', 'COMPLETE', now()
      FROM generate_series(1, ${JOBS}) AS number;
    INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at, ended_at)
      SELECT job.id, 1, node.id, 'COMPLETE', now(), now() FROM job, node;
    INSERT INTO executor_run (id, job_id, attempt_number, position, build_id, node_id, enforcement, monitoring,
        selection_reason, filter_digest, inputs_digest, node_facts, started_at)
      SELECT gen_random_uuid(), job.id, 1, 0, build.id, node.id, 'none', 'none', 'b', 'f', 'i', '{}',
        now() - random() * interval '9.9 days' FROM job, build, node;
    INSERT INTO artifact (executor_run_id, kind) SELECT id, kind FROM executor_run, unnest(ARRAY['stdout', 'stderr']) AS kind;
    INSERT INTO tenant_setting (tenant, retention_days) VALUES ('tenant 1', 9);
    ANALYZE`);
});

afterAll(async () => {
  await owner.end();
  await database.drop();
});

describe('what has expired', () => {
  it('is found by the age of the artifacts of a tenant, without reading those of others', async () => {
    const { rows } = await owner.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${EXPIRED_ARTIFACTS}`, [10]);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('artifact_by_age');
    expect(plan).not.toMatch(/Seq Scan on (artifact|executor_run|attempt|job)\b/);
  });

  it('is what its tenant, or else the grid, keeps no longer', async () => {
    const { rowCount } = await owner.query(EXPIRED_ARTIFACTS, [10]);
    expect(rowCount).toBe(100);
    const { rows } = await owner.query(`SELECT DISTINCT tenant FROM artifact WHERE id IN (${EXPIRED_ARTIFACTS})`, [10]);
    expect(rows).toEqual([{ tenant: 'tenant 1' }]);
  });

  it('is nothing where all are young', async () => {
    expect((await owner.query(EXPIRED_ARTIFACTS.replace('setting.retention_days', '11'), [11])).rowCount).toBe(0);
  });
});
