/** A fresh database for a test file on the real Postgres, migrated, with the URLs of its owner and its API, and nodes. */
import { randomBytes } from 'node:crypto';
import {
  addNode,
  findNode,
  migrate,
  type NodeBounds,
  type NodeCredentials,
  nodeVariables,
  rekeyNode,
  SEARCH_PATH_OPTION,
} from '#lib/database';
import { nodeArchitecture } from '#lib/profiles';
import pg from 'pg';
import { inject } from 'vitest';
import { required } from './environment.js';

export interface TestDatabase {
  readonly ownerUrl: string;
  readonly apiUrl: string;
  drop(): Promise<void>;
}

/** Roles are global to a cluster, so every test database of a run shares their password. */
const API_PASSWORD = 'api-in-tests';

export async function makeTestDatabase(): Promise<TestDatabase> {
  // A copy lacks what is granted on a database as a whole: it is migrated too.
  return prepared(await createDatabase(newName(), { template: inject('templateDatabase') }));
}

/** In another cluster, which has no template. */
export async function makeTestDatabaseIn(superuserUrl: string): Promise<TestDatabase> {
  return prepared(await createDatabase(newName(), { superuserUrl }), superuserUrl);
}

type EmptyDatabase = Pick<TestDatabase, 'ownerUrl' | 'drop'>;

async function prepared({ ownerUrl, drop }: EmptyDatabase, superuserUrl = clusterUrl()): Promise<TestDatabase> {
  await migrateDatabase(ownerUrl);
  // As on a grid that was just started: jobs on any image are learned from.
  await withClient(ownerUrl, (client) =>
    client.query(`INSERT INTO tenant_setting (tenant, unknown_content) VALUES ('default', 'learn')`),
  );
  return {
    ownerUrl,
    ...programUrls(ownerUrl),
    async drop() {
      const roles = await withClient(ownerUrl, rolesOfNodes);
      await drop();
      await withClient(superuserUrl, async (client) => {
        for (const role of roles) await client.query(`DROP ROLE IF EXISTS ${role}`);
      });
    },
  };
}

export function migrateDatabase(ownerUrl: string): Promise<void> {
  return migrate({ ownerUrl, apiPassword: API_PASSWORD });
}

/** Of a database that `migrateDatabase` has migrated, or will. */
export function programUrls(ownerUrl: string): Pick<TestDatabase, 'apiUrl'> {
  return { apiUrl: withUser(ownerUrl, 'porin_api', API_PASSWORD) };
}

/** A node with a role of its own, of this machine's architecture; new credentials for one that has some. */
export async function addTestNode(ownerUrl: string, name: string, bounds: NodeBounds = {}): Promise<NodeCredentials> {
  const architecture = nodeArchitecture(process.arch);
  return withClient(ownerUrl, async (owner) =>
    (await findNode(owner, name))?.roleName
      ? rekeyNode(owner, name, 'test')
      : addNode(owner, { name, architecture, bounds }, 'test'),
  );
}

export function nodeDatabaseUrl(ownerUrl: string, credentials: NodeCredentials): string {
  return nodeVariables(credentials, { databaseUrl: ownerUrl, redisUrl: ownerUrl }).PORIN_DATABASE_URL ?? '';
}

/** Roles outlive their database. */
async function rolesOfNodes(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ role: string }>(
    'SELECT role_name AS role FROM node WHERE role_name IS NOT NULL',
  );
  return rows.map(({ role }) => role);
}

/** Without a schema. */
export function makeEmptyDatabase(): Promise<EmptyDatabase> {
  return createDatabase(newName());
}

function newName(): string {
  return `porin_test_${randomBytes(6).toString('hex')}`;
}

function clusterUrl(): string {
  return required('PORIN_TEST_DATABASE_URL');
}

/** A copy of `template`, or empty. */
export async function createDatabase(
  name: string,
  { template = 'template1', superuserUrl = clusterUrl() } = {},
): Promise<EmptyDatabase> {
  await withClient(superuserUrl, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  return {
    ownerUrl: withDatabase(superuserUrl, name),
    // Not WITH (FORCE): a pool that a test leaks makes the drop fail, and the test with it.
    drop: () => withClient(superuserUrl, async (client) => void (await client.query(`DROP DATABASE ${name}`))),
  };
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  changed.searchParams.set('options', SEARCH_PATH_OPTION);
  return changed.href;
}

function withUser(url: string, user: string, password: string): string {
  const changed = new URL(url);
  changed.username = user;
  changed.password = password;
  return changed.href;
}
