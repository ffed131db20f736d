import { makeDataSource } from '#lib/database';
import pg from 'pg';
import { type DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDITED_RUNS, deniedRuns, nextBuild } from '#lib/store';
import { makeTestDatabase, type TestDatabase } from '../support/database.js';

/** Of one submitter, on one build. */
const HELD = 1_000;
const LOOKED_AT = 2_000;
const DENIALS_PER_RUN = 100;
/** It takes 40 ms; a count for each waiting run takes more than 15 s. */
const LIMIT_MS = 1_000;

let database: TestDatabase;
let owner: pg.Client;
let dataSource: DataSource;

beforeAll(async () => {
  database = await makeTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  dataSource = await makeDataSource({ url: database.apiUrl, applicationName: 'test' }).initialize();
  await owner.query(`
    INSERT INTO application (tenant, name, image) VALUES ('default', 'a', 'i');
    INSERT INTO build (application_id, content_digest, architecture, image_reference) SELECT id, 'c', 'x86_64', 'i' FROM application;
    INSERT INTO node (name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts)
      VALUES ('n', 'x86_64', 'READY', 1, 1, 1, 1, '{none}', '{}');
    INSERT INTO job (tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
        disk_bytes, wall_time_s, inputs, outputs, state, waiting_reason)
      SELECT 'default', gen_random_uuid(), 'submitter', 'd', 'n', 'x86_64', 1, 1, 1, 1, '[]', '[]', 'QUEUED', 'waiting-for-slot'
      FROM generate_series(1, 10000);
    INSERT INTO job (tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
        disk_bytes, wall_time_s, inputs, outputs, state, waiting_reason, held_build_id)
      SELECT 'default', '00000000-0000-0000-0000-000000000001', 'submitter', 'd', 'n', 'x86_64', 1, 1, 1, 1, '[]', '[]',
        'QUEUED', 'waiting-for-profile-decision', build.id FROM build, generate_series(1, ${HELD + LOOKED_AT});
    INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at, ended_at)
      SELECT job.id, 1, node.id, 'FAILED', now(), now() FROM job, node WHERE held_build_id IS NOT NULL;
    INSERT INTO executor_run (id, job_id, attempt_number, position, build_id, node_id, enforcement, monitoring,
        selection_reason, filter_digest, inputs_digest, node_facts)
      SELECT gen_random_uuid(), job.id, 1, 0, held_build_id, node.id, 'enforce', 'none', 'b', 'f', 'i', '{}'
      FROM job, node WHERE held_build_id IS NOT NULL;
    INSERT INTO denial (executor_run_id, position, call, shape, action, description, count)
      SELECT run.id, place, 'kill', '{}', 'refused', 'kill()', 1 FROM executor_run AS run, generate_series(1, ${DENIALS_PER_RUN}) AS place;
    UPDATE executor_run SET denials_considered_at = now() - interval '10 min'
      WHERE id IN (SELECT id FROM executor_run ORDER BY id LIMIT ${LOOKED_AT});
    ANALYZE`);
});

afterAll(async () => {
  await dataSource.destroy();
  await owner.end();
  await database.drop();
});

async function plan(sql: string, parameters: readonly unknown[] = []): Promise<string> {
  const { rows } = await owner.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, [...parameters]);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

describe('what is asked every second or so', () => {
  it.each([
    [
      'jobs that wait for a reason',
      `UPDATE job SET priority = 0 WHERE state = 'QUEUED' AND waiting_reason = $1`,
      'job_waiting',
    ],
    ['jobs that wait for a version', `UPDATE job SET priority = 0 WHERE held_version_id = $1`, 'job_held_for_version'],
  ])('%s have an index', async (_name, sql, index) => {
    const value = index === 'job_waiting' ? 'waiting-for-stage-decision' : '00000000-0000-0000-0000-000000000000';
    expect(await plan(sql, [value])).toContain(index);
  });

  it('runs under an audit have an index, whatever else their build has run', async () => {
    const audited = `SELECT (SELECT count(*) ${AUDITED_RUNS}) FROM profile_version AS version`;
    expect(await plan(audited)).toContain('executor_run_audited');
  });

  it('which build is next takes no longer for very many denied runs of one submitter', async () => {
    const times: number[] = [];
    const { manager } = dataSource;
    const build = (await owner.query<{ id: string }>('SELECT id FROM build')).rows[0]?.id;
    const timed = async (): Promise<string | null> => {
      const start = performance.now();
      const id = await nextBuild(manager, 'small', []);
      times.push(performance.now() - start);
      return id;
    };
    expect(await timed()).toBe(build);
    const places: { id: string }[] = await manager.query(deniedRuns('run.build_id = $1'), [build]);
    expect(places).toHaveLength(20);
    await owner.query(
      'UPDATE executor_run SET denials_taken = true, denials_considered_at = now() WHERE id = ANY ($1)',
      [places.map(({ id }) => id)],
    );
    expect(await timed()).toBeNull();
    expect(Math.max(...times)).toBeLessThan(LIMIT_MS);
  });
});
