/** `porin-admin node add|list|rekey|remove` on a database, as an operator types them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DIST_DIR } from '../../scripts/setup/paths.js';
import { makeTestDatabase, type TestDatabase } from '../support/database.js';

const BOUNDS = ['--slots', '4', '--cpu-milli', '4000', '--memory-bytes', '1000'];

let database: TestDatabase;
let owner: pg.Client;
let directory: string;

beforeAll(async () => {
  database = await makeTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  directory = mkdtempSync(join(tmpdir(), 'porin-node-'));
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await owner.end();
  await database.drop();
});

function admin(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(DIST_DIR, 'apps/api/src/cli/main.js'), 'node', ...args],
    {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        PORIN_OWNER_DATABASE_URL: database.ownerUrl,
        PORIN_DATABASE_URL: database.apiUrl,
        PORIN_REDIS_URL: 'redis://:of-the-api@127.0.0.1:6379',
      },
    },
  );
  return { status, stdout, stderr };
}

async function opens(environment: NodeJS.Dict<string>): Promise<boolean> {
  const client = new pg.Client({ connectionString: environment.PORIN_DATABASE_URL });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(`SELECT porin.node_clock('{}')`);
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

const audited = async () =>
  (await owner.query<{ action: string }>(`SELECT action FROM audit WHERE subject_type = 'node' ORDER BY id`)).rows.map(
    ({ action }) => action,
  );

it('makes a node, lists it, gives it new credentials and takes them away, and each is in the audit trail', async () => {
  const file = join(directory, 'node.env');
  expect(admin('add', 'node-1', ...BOUNDS, '--out', file)).toMatchObject({ status: 0 });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const first = parseEnv(readFileSync(file, 'utf8'));
  expect(Object.keys(first).sort()).toEqual([
    'PORIN_DATABASE_URL',
    'PORIN_NODE_KEY',
    'PORIN_NODE_NAME',
    'PORIN_REDIS_URL',
  ]);
  expect(first.PORIN_REDIS_URL).not.toContain('of-the-api');
  expect(await opens(first)).toBe(true);
  expect(admin('list').stdout).toMatch(/^node-1\t.*\tslots 4\tcpuMilli 4000\tmemoryBytes 1000\tdiskBytes any$/m);
  expect(admin('add', 'node-1', ...BOUNDS).stderr).toContain('node rekey node-1');

  const second = parseEnv(admin('rekey', 'node-1').stdout);
  expect([await opens(first), await opens(second)]).toEqual([false, true]);
  expect(admin('list').stdout).toContain('slots 4');

  expect(admin('remove', 'node-1')).toMatchObject({ status: 0 });
  expect(await opens(second)).toBe(false);
  expect(admin('list').stdout).toContain('no credentials');
  expect(admin('rekey', 'node-1').stderr).toContain('node add');
  expect(await opens(parseEnv(admin('add', 'node-1', '--unbounded').stdout))).toBe(true);
  expect(admin('list').stdout).toMatch(/^node-1\t.*\tslots any\t/m);
  expect(await audited()).toEqual(['node.add', 'node.rekey', 'node.remove', 'node.add']);
});

it('gives credentials to a node of an earlier version, which keeps its id', async () => {
  const { rows } = await owner.query<{ id: string }>(
    `INSERT INTO node (name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts)
     VALUES ('earlier', 'x86_64', 'GONE', 1, 1, 1, 1, '{}', '{}') RETURNING id`,
  );
  expect(await opens(parseEnv(admin('add', 'earlier', ...BOUNDS).stdout))).toBe(true);
  expect((await owner.query(`SELECT id FROM node WHERE name = 'earlier'`)).rows).toEqual(rows);
});

it.each([
  ['add', 'no such; name', ...BOUNDS],
  ['add', 'node-2'],
  ['add', 'node-2', '--slots', '4', '--cpu-milli', '4000'],
  ['add', 'node-2', ...BOUNDS, '--unbounded'],
  ['add', 'node-2', ...BOUNDS, '--slots', '0'],
  ['add', 'node-2', ...BOUNDS, '--architecture', 'sparc'],
  ['add', 'node-2', ...BOUNDS, '--redis-url', 'nowhere'],
  ['remove', 'nobody'],
])('refuses %s %s %s and changes nothing', async (...args) => {
  const before = (await owner.query('SELECT name, role_name FROM node ORDER BY name')).rows;
  const { status, stderr } = admin(...args);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^porin-admin: /)]);
  expect((await owner.query('SELECT name, role_name FROM node ORDER BY name')).rows).toEqual(before);
});
