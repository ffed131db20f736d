/** A fresh database for a test file on the real Postgres, migrated, with a URL for each of the three roles. */
import { randomBytes } from 'node:crypto';
import { migrate, SEARCH_PATH_OPTION } from '#lib/database';
import pg from 'pg';
import { required } from './environment.js';

export interface TestDatabase {
  readonly ownerUrl: string;
  readonly apiUrl: string;
  readonly workerUrl: string;
  drop(): Promise<void>;
}

/** Roles are global to a cluster, so every test database of a run shares their passwords. */
const PASSWORDS = { api: 'api-in-tests', worker: 'worker-in-tests' };

export async function makeTestDatabase(): Promise<TestDatabase> {
  const { ownerUrl, drop } = await makeEmptyDatabase();
  await migrateDatabase(ownerUrl);
  // As on a grid that was just started: jobs on any image are learned from.
  await withClient(ownerUrl, `INSERT INTO tenant_setting (tenant, unknown_content) VALUES ('default', 'learn')`);
  return { ownerUrl, ...programUrls(ownerUrl), drop };
}

export function migrateDatabase(ownerUrl: string): Promise<void> {
  return migrate({ ownerUrl, apiPassword: PASSWORDS.api, workerPassword: PASSWORDS.worker });
}

/** Of a database that `migrateDatabase` has migrated, or will. */
export function programUrls(ownerUrl: string): Pick<TestDatabase, 'apiUrl' | 'workerUrl'> {
  return {
    apiUrl: withUser(ownerUrl, 'porin_api', PASSWORDS.api),
    workerUrl: withUser(ownerUrl, 'porin_worker', PASSWORDS.worker),
  };
}

/** Without a schema. */
export async function makeEmptyDatabase(): Promise<Pick<TestDatabase, 'ownerUrl' | 'drop'>> {
  const superuserUrl = required('PORIN_TEST_DATABASE_URL');
  const name = `porin_test_${randomBytes(6).toString('hex')}`;
  await withClient(superuserUrl, `CREATE DATABASE ${name}`);
  return {
    ownerUrl: withDatabase(superuserUrl, name),
    // Not WITH (FORCE): a pool that a test leaks makes the drop fail, and the test with it.
    drop: () => withClient(superuserUrl, `DROP DATABASE ${name}`),
  };
}

async function withClient(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
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
