import { randomUUID } from 'node:crypto';
import { ATTEMPT_TRANSITIONS, JOB_TRANSITIONS } from '#lib/jobs';
import { PROFILE_TRANSITIONS } from '#lib/profiles';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeTestDatabase, type TestDatabase } from '../support/database.js';

const CHECK_VIOLATION = '23514';

let database: TestDatabase;
let owner: pg.Client;

beforeAll(async () => {
  database = await makeTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
});

afterAll(async () => {
  await owner.end();
  await database.drop();
});

/** A row of the table in the state, with all that it hangs from; `$1` of every statement is its id. */
const ROWS: Readonly<Record<string, (state: string) => string>> = {
  job: (state) =>
    `INSERT INTO job (id, tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
       disk_bytes, wall_time_s, inputs, outputs, state)
     VALUES ($1, 't', $1, 'submitter', 'd', 'n', 'x86_64', 1, 1, 1, 1, '[]', '[]', '${state}')`,
  attempt: (state) =>
    `WITH node AS (
       INSERT INTO node (name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts)
       VALUES ($1::text, 'x86_64', 'READY', 1, 1, 1, 1, '{}', '{}') RETURNING id
     ), job AS (${ROWS.job?.('INITIALIZING').replaceAll('$1', '$1::uuid')} RETURNING id)
     INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at) SELECT job.id, 1, node.id, '${state}', now() FROM node, job`,
  profile_version: (state) =>
    `WITH application AS (INSERT INTO application (tenant, name, image) VALUES ('t', $1::text, 'i') RETURNING id),
     build AS (
       INSERT INTO build (application_id, content_digest, architecture, image_reference) SELECT id, $1::text, 'x86_64', 'i'
       FROM application RETURNING id
     )
     INSERT INTO profile_version (id, build_id, number, digest, canonical, coverage, state, stage, statement, signature)
     SELECT $1::uuid, id, 1, $1::text, '{}', '{}', '${state}', 'enforce', 's', 's' FROM build`,
};

it.each([
  ['job', 'id', JOB_TRANSITIONS],
  ['attempt', 'job_id', ATTEMPT_TRANSITIONS],
  ['profile_version', 'id', PROFILE_TRANSITIONS],
] as const)(
  'the database lets the state of a row of %s change as its table of transitions says, whoever writes, and in no other way',
  async (table, key, transitions) => {
    const states = Object.keys(transitions);
    const changed: string[] = [];
    for (const from of states) {
      for (const to of states) {
        const id = randomUUID();
        await owner.query('BEGIN');
        await owner.query(ROWS[table]?.(from) ?? '', [id]);
        const code = await owner.query(`UPDATE ${table} SET state = $2 WHERE ${key} = $1`, [id, to]).then(
          () => null,
          (error: { code: string }) => error.code,
        );
        await owner.query('ROLLBACK');
        expect([null, CHECK_VIOLATION]).toContain(code);
        if (code === null && from !== to) changed.push(`${from} ${to}`);
      }
    }
    const allowed = Object.entries(transitions).flatMap(([from, after]) =>
      (after as readonly string[]).map((to) => `${from} ${to}`),
    );
    expect(changed.sort()).toEqual(allowed.sort());
  },
);
