/** Brings a database to the current schema, closes it to whoever was not named, and sets the password of the API's role. */
import pg from 'pg';
import { ADVISORY_LOCKS } from './advisory-locks.js';
import { closeDatabase } from './close-database.js';
import { Connection, NO_STATEMENT_LIMITS } from './connection.js';
import { makeDataSource } from './data-source.js';
import { applyFunctions } from './functions/apply-functions.js';
import { pastNodes } from './nodes/node-sessions.js';
import { isRestoreUnfinished, UNFINISHED_RESTORE } from './restore-mark.js';

export interface MigrateOptions {
  readonly ownerUrl: string;
  readonly apiPassword?: string;
}

export class MigrateError extends Error {
  override readonly name = 'MigrateError';
  readonly code = 'migrate-refused';
}

/**
 * Runs what is missing of the migrations as the database's owner, under an advisory lock, so that two callers at once
 * are safe. `ownerUrl` must belong to a role with CREATEROLE, or Porin's roles must exist. Throws MigrateError while a restore
 * is not finished, unless that is who calls.
 */
export function migrate(options: MigrateOptions, { isRestore = false } = {}): Promise<void> {
  return pastNodes(options.ownerUrl, () => migrateLocked(options, isRestore));
}

async function migrateLocked({ ownerUrl, apiPassword }: MigrateOptions, isRestore: boolean): Promise<void> {
  const applicationName = 'porin-migrate';
  const client = new Connection({
    ...{ connectionString: ownerUrl, application_name: applicationName },
    ...NO_STATEMENT_LIMITS,
  });
  await client.connect();
  const dataSource = makeDataSource({ url: ownerUrl, applicationName, poolSize: 1 });
  try {
    await client.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCKS.migration]);
    if (!isRestore && (await isRestoreUnfinished(client))) throw new MigrateError(UNFINISHED_RESTORE);
    await dataSource.initialize();
    await dataSource.runMigrations({ transaction: 'each' });
    await applyFunctions(client);
    await closeDatabase(client);
    await setPassword(client, 'porin_api', apiPassword);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
    await client.end();
  }
}

async function setPassword(client: pg.Client, role: string, password: string | undefined): Promise<void> {
  if (password === undefined) return;
  // Roles are global to the cluster: a concurrent ALTER ROLE fails with "tuple concurrently updated".
  await client.query('BEGIN');
  await client.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.password]);
  await client.query(`ALTER ROLE ${pg.escapeIdentifier(role)} PASSWORD ${pg.escapeLiteral(password)}`);
  await client.query('COMMIT');
}
