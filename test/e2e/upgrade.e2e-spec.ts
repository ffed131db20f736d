/**
 * The database of an earlier release, with the schema and the rows that its programs made (test/fixtures), is migrated to
 * this version, and the grid goes on: what was approved and signed then is enforced now.
 */
import { readFileSync } from 'node:fs';
import { checkSchema, Connection } from '#lib/database';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeEmptyDatabase, migrateDatabase, programUrls, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { Grid, type JobView } from '../support/grid.js';
import { importTinyImage } from '../support/tiny-image.js';

/** Keys and ids of what is in the SQL beside it. All of them were made for it. */
interface Fixture {
  readonly keys: Readonly<Record<'admin' | 'submitter' | 'revoked' | 'elsewhere', string>>;
  readonly signingKey: string;
  readonly jobs: Readonly<Record<'COMPLETE' | 'EXECUTOR_ERROR' | 'CANCELED' | 'QUEUED' | 'RUNNING' | 'HELD', string>>;
  readonly versions: Readonly<Record<'enforced' | 'audited', string>>;
  readonly applications: Readonly<Record<'enforced' | 'audited', string>>;
}
const fixture = JSON.parse(readFileSync('test/fixtures/database-17643.json', 'utf8')) as Fixture;

const TABLES = [
  ...['api_key', 'application', 'approval', 'attempt', 'audit', 'build', 'executor_run', 'job', 'node'],
  ...['profile_version', 'recording'],
];

/** Its rows are of one day; what is retained for some time must still be there. */
function asOfYesterday(sql: string): string {
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  return sql.replaceAll("'2026-11-28 ", `'${yesterday} `);
}

let database: TestDatabase;
let grid: Grid;
beforeAll(async () => {
  const { ownerUrl, drop } = await makeEmptyDatabase();
  database = { ownerUrl, ...programUrls(ownerUrl), drop };
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  await client.query(
    `DO $$ BEGIN
       IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'porin_api') THEN CREATE ROLE porin_api LOGIN; END IF;
       IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'porin_worker') THEN CREATE ROLE porin_worker LOGIN; END IF;
     END $$`,
  );
  await client.query(asOfYesterday(readFileSync('test/fixtures/database-17643.sql', 'utf8')));
  await client.end();
});
afterAll(() => grid.stop());

const before = (name: keyof Fixture['jobs']): Promise<JobView> => grid.job(fixture.jobs[name]);
let inputs = 0;
const run = (application: string) =>
  grid.run('', {
    executors: [{ application }],
    inputs: [{ content: `after the upgrade ${inputs++}`, path: '/in/data' }],
  });

describe('the database of release 17643', () => {
  it('is refused before it is migrated, and is migrated without losing a row', async () => {
    const owner = new Connection({ connectionString: database.ownerUrl });
    await owner.connect();
    const names = async (sql: string) => (await owner.query<{ name: string }>(sql)).rows;
    const counts = async (schema: string) => {
      const found: string[] = [];
      for (const table of TABLES) {
        const { rows } = await owner.query<{ count: string }>(`SELECT count(*) FROM ${schema}.${table}`);
        found.push(rows[0]?.count ?? '');
      }
      return found;
    };
    await expect(checkSchema(names)).rejects.toThrow('The database lacks OwnSchema1764400000000');
    const rows = await counts('public');
    expect(Math.min(...rows.map(Number))).toBeGreaterThan(0);
    await migrateDatabase(database.ownerUrl);
    expect(await counts('porin')).toEqual(rows);
    await checkSchema(names);
    await migrateDatabase(database.ownerUrl);
    await owner.end();
  });

  it('is served: keys, jobs in every state, versions with their decisions, nodes', async () => {
    grid = await Grid.start({}, { database, signingKey: fixture.signingKey, keys: fixture.keys });
    for (const state of ['COMPLETE', 'EXECUTOR_ERROR', 'CANCELED'] as const) {
      expect((await before(state)).state, state).toBe(state);
    }
    expect((await before('COMPLETE')).runs).toMatchObject([
      { enforcement: 'enforce', profileVersionId: fixture.versions.enforced },
    ]);
    expect(await grid.log(fixture.jobs.COMPLETE)).toBe('ok\n');
    const version = (await grid.http('get', `/api/v1/profiles/${fixture.versions.audited}`).expect(200)).body as object;
    expect(version).toMatchObject({ state: 'APPROVED', stage: 'audit' });
    await grid.http('get', `/api/v1/profiles/${fixture.versions.enforced}/review`).expect(200);
    const { nodes } = (await grid.http('get', '/api/v1/nodes').expect(200)).body as { nodes: object[] };
    expect(nodes).toMatchObject([{ name: 'node-1', problems: [] }, { name: 'node-2' }]);
    await grid.api.get(fixture.keys.revoked, '/api/v1/jobs').expect(401);
    const elsewhere = await grid.api.get(fixture.keys.elsewhere, '/api/v1/jobs').expect(200);
    expect(elsewhere.body).toMatchObject({ jobs: [] });
  });

  it('goes on: what was signed then is enforced now, and what waited or was lost is run', async () => {
    await importTinyImage(grid.docker);
    await grid.startWorker('node-1', { PORIN_SLOTS: '2', PORIN_CPU_MILLI: '2000' });
    // It waits for ever, as its program says: a second attempt runs after the first one was lost.
    expect(await grid.waitFor(fixture.jobs.RUNNING, 'RUNNING')).toMatchObject({ attempts: [{ state: 'LOST' }, {}] });
    await grid.http('post', `/api/v1/jobs/${fixture.jobs.RUNNING}/cancel`).send({});
    await grid.waitFor(fixture.jobs.RUNNING, 'CANCELED');
    expect(await grid.waitFor(fixture.jobs.QUEUED, 'COMPLETE')).toMatchObject({
      runs: [{ enforcement: 'enforce', profileVersionId: fixture.versions.enforced }],
    });
    expect(await run('enforced')).toMatchObject({
      state: 'COMPLETE',
      runs: [{ enforcement: 'enforce', profileVersionId: fixture.versions.enforced, denials: [] }],
    });
    await eventually(async () =>
      expect(await before('HELD')).toMatchObject({ state: 'QUEUED', waitingReason: 'waiting-for-approved-profile' }),
    );
    expect(await run('audited')).toMatchObject({
      state: 'COMPLETE',
      runs: [{ enforcement: 'audit', profileVersionId: fixture.versions.audited }],
    });
  });

  it('takes decisions about versions of then', async () => {
    const { digest } = (await grid.http('get', `/api/v1/profiles/${fixture.versions.enforced}`).expect(200)).body as {
      digest: string;
    };
    const body = { digest, reason: 'a test' };
    await grid.http('post', `/api/v1/profiles/${fixture.versions.enforced}/revoke`).send(body).expect(200);
    expect(await run('enforced')).toMatchObject({ state: 'COMPLETE', runs: [{ enforcement: 'none' }] });
  });
});
