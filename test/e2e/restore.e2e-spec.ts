/** A grid is backed up while it works, lost, and restored to an empty cluster with other passwords, where it goes on. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DIST_DIR } from '../../scripts/setup/paths.js';
import { makeTestDatabaseIn, type TestDatabase } from '../support/database.js';
import { type Cluster, debianPostgres, startCluster } from '../support/debian-postgres.js';
import { eventually } from '../support/eventually.js';
import { Grid, type JobView } from '../support/grid.js';

let before: Cluster;
let after: Cluster;
let grid: Grid;
let directory: string;
/** Number of the last decision in the backup. */
let inBackup: number;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'porin-backup-'));
  before = await startCluster('superuser-before');
  after = await startCluster('superuser-after');
  grid = await Grid.start({}, undefined, await makeTestDatabaseIn(before.url));
});
afterAll(async () => {
  await grid.stop();
  await before.stop();
  await after.stop();
  rmSync(directory, { recursive: true });
});

function admin(
  { ownerUrl, apiUrl }: Pick<TestDatabase, 'ownerUrl' | 'apiUrl'>,
  args: readonly string[],
): { status: number | null; output: string } {
  const main = join(DIST_DIR, 'apps/api/src/cli/main.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: {
      PATH: `${debianPostgres()}:${process.env.PATH}`,
      PORIN_OWNER_DATABASE_URL: ownerUrl,
      PORIN_DATABASE_URL: apiUrl,
      PORIN_SIGNING_KEY_FILE: grid.signingKeyFile,
      PORIN_APPROVAL_PUBLIC_KEY_FILE: join(dirname(grid.signingKeyFile), 'public.pem'),
      PORIN_API_PASSWORD: 'api-after',
    },
  });
  return { status, output: stdout + stderr };
}

/** Owned by a role that is no superuser, and named otherwise than the one before. */
async function emptyDatabase(name: string): Promise<TestDatabase> {
  const client = new pg.Client({ connectionString: after.url });
  await client.connect();
  const { rowCount } = await client.query(`SELECT FROM pg_roles WHERE rolname = 'someone'`);
  if (rowCount === 0) await client.query(`CREATE ROLE someone LOGIN CREATEROLE PASSWORD 'owner-after'`);
  await client.query(`CREATE DATABASE ${name} OWNER someone`);
  await client.end();
  const as = (user: string, password: string) => {
    const url = Object.assign(new URL(after.url), { username: user, password, pathname: `/${name}` });
    url.searchParams.set('options', '-c search_path=porin,public');
    return url.href;
  };
  return {
    ownerUrl: as('someone', 'owner-after'),
    apiUrl: as('porin_api', 'api-after'),
    drop: () => Promise.resolve(),
  };
}

/** Every function, with whether it runs by its definer's rights, and whether that is the role made for it. */
const functionOwners = async () =>
  (
    await grid.api.owner.query(
      `SELECT oid::regprocedure::text AS name, prosecdef, proowner = 'porin_functions'::regrole AS is_apart
       FROM pg_proc WHERE pronamespace = 'porin'::regnamespace ORDER BY name`,
    )
  ).rows as unknown[];

const lastSequence = async () =>
  Number((await grid.api.owner.query<{ last: string }>('SELECT max(sequence) AS last FROM approval')).rows[0]?.last);

/** The highest number that the grid has signed, in decisions and lists. */
const lastSigned = async () =>
  Number(
    (await grid.api.owner.query<{ last: string }>('SELECT last_value AS last FROM approval_sequence')).rows[0]?.last,
  );

/** Of the decisions after the restore, the lowest number. */
const firstSequence = async () =>
  Number(
    (
      await grid.api.owner.query<{ first: string }>('SELECT min(sequence) AS first FROM approval WHERE sequence > $1', [
        inBackup,
      ])
    ).rows[0]?.first,
  );

interface Version {
  readonly id: string;
  readonly digest: string;
}

const request = (application: string, script: string) => ({
  executors: [{ application }],
  inputs: [{ content: script, path: application === 'kept' ? '/in/script' : '/in/other' }],
});
const run = (script: string): Promise<JobView> => grid.run('', request('kept', script));

async function learn(): Promise<Version> {
  const application = { name: 'kept', image: grid.image, commandPrefix: ['/bin/sh', '/in/script'] };
  const { body } = await grid.http('post', '/api/v1/applications').send(application).expect(201);
  for (const word of ['one', 'two', 'three']) expect(await run(`echo ${word}`)).toMatchObject({ state: 'COMPLETE' });
  let versions: readonly Version[] = [];
  await eventually(async () => {
    const path = `/api/v1/applications/${(body as { id: string }).id}/profiles`;
    versions = ((await grid.http('get', path).expect(200)).body as { profiles: Version[] }).profiles;
    expect(versions).toHaveLength(1);
  });
  return versions[0] as Version;
}

async function decide({ id, digest }: Version, decision: 'approve' | 'revoke'): Promise<void> {
  const body = { digest, reason: 'a test', ...(decision === 'approve' && { stage: 'enforce' }) };
  await grid.http('post', `/api/v1/profiles/${id}/${decision}`).send(body).expect(200);
}

describe('a backup', () => {
  it('is restored to an empty cluster, where the grid goes on', async () => {
    const worker = await grid.startWorker('node-1', { PORIN_SLOTS: '1', PORIN_CPU_MILLI: '1000' });
    const version = await learn();
    await decide(version, 'approve');
    const done = await run('echo done');
    expect(done).toMatchObject({ state: 'COMPLETE', runs: [{ enforcement: 'enforce' }] });
    const other = { name: 'other', image: grid.image, commandPrefix: ['/bin/sh', '/in/other'] };
    await grid.http('post', '/api/v1/applications').send(other).expect(201);
    const running = await grid.submit('', request('other', 'sleep 5; echo ran'));
    await grid.waitFor(running, 'RUNNING');
    const queued = await grid.submit('', request('other', 'echo waited'));

    inBackup = await lastSequence();
    const owners = await functionOwners();
    const file = join(directory, 'porin.backup');
    expect(admin(grid.api.database, ['backup', file])).toMatchObject({ status: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(admin(grid.api.database, ['backup', file]).output).toContain('is there already');

    // Signed after the backup, and seen by a worker: this number must not come again.
    await decide(version, 'revoke');
    const signed = await lastSigned();
    await worker.end('SIGKILL');

    const database = await emptyDatabase('elsewhere');
    const restored = admin(database, ['restore', file]);
    expect(restored.output).toContain('1 attempts that were running are lost');
    expect(restored.output).toContain('node-1');
    expect(restored.status).toBe(0);
    expect(admin(database, ['restore', file]).output).toContain('holds a grid already');

    expect(admin(database, ['resign'])).toMatchObject({
      status: 0,
      output: expect.stringContaining('1 approval(s) signed anew'),
    });
    grid = await grid.moveTo(database);
    expect(await functionOwners()).toEqual(owners);
    await grid.startWorker('node-1', { PORIN_SLOTS: '1', PORIN_CPU_MILLI: '1000' });
    expect(await grid.waitFor(running, 'COMPLETE')).toMatchObject({ attempts: [{ state: 'LOST' }, { number: 2 }] });
    await grid.waitFor(queued, 'COMPLETE');
    expect(await grid.job(done.id)).toMatchObject({ state: 'COMPLETE' });
    expect(await grid.log(done.id)).toBe('done\n');

    expect(await run('echo again')).toMatchObject({
      state: 'COMPLETE',
      runs: [{ enforcement: 'enforce', profileVersionId: version.id }],
    });
    await decide(version, 'revoke');
    expect(await firstSequence()).toBeGreaterThan(signed);
    await eventually(async () => expect(await run('echo more')).toMatchObject({ runs: [{ enforcement: 'none' }] }));
  });

  // What was signed after the first restore is signed, and seen by the node, when the same backup is restored once more.
  it.each(['to another database', 'in the place of the grid that it became'])(
    'is restored once more, %s',
    async (where) => {
      const file = join(directory, 'porin.backup');
      const settings = { PORIN_SLOTS: '1', PORIN_CPU_MILLI: '1000' };
      const signed = await lastSigned();
      const isSame = where.startsWith('in');
      const database = isSame ? grid.api.database : await emptyDatabase('once_more');
      const enforced = { runs: [{ enforcement: 'enforce' }] };
      await grid.pause();
      expect(admin(database, ['restore', file, ...(isSame ? ['--replace'] : [])])).toMatchObject({ status: 0 });
      expect(admin(database, ['resign'])).toMatchObject({ status: 0 });
      grid = await grid.moveTo(database);
      await grid.startWorker('node-1', settings);
      expect(await run('echo once more')).toMatchObject({ state: 'COMPLETE', ...enforced });
      expect(await firstSequence()).toBeGreaterThan(signed);
      const { rows } = await grid.api.owner.query<Version>(
        `SELECT version.id, digest FROM profile_version AS version JOIN build ON build.id = build_id
         JOIN application ON application.id = application_id WHERE name = 'kept' AND state = 'APPROVED'`,
      );
      await decide(rows[0] as Version, 'revoke');
      await eventually(async () => expect(await run('echo more')).toMatchObject({ runs: [{ enforcement: 'none' }] }));
      expect(await run('echo more')).toMatchObject({ state: 'COMPLETE', runs: [{ enforcement: 'none' }] });
    },
  );

  it('is not restored under a grid that runs', () => {
    const refused = admin(grid.api.database, ['restore', join(directory, 'porin.backup'), '--replace']);
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.output).toContain('Stop the API and the workers first');
  });
});
