/** Brings a database to the current schema, closes it to whoever was not named, and sets the password of the API's role. */
import pg from 'pg';
import { closeDatabase } from './close-database.js';
import { Connection } from './connection.js';
import { makeDataSource } from './data-source.js';
import { applyFunctions } from './functions/apply-functions.js';

/** Any fixed numbers that nothing else of ours locks (the dispatcher holds 7_060_118 for as long as it runs). */
const MIGRATION_LOCK = 7_060_117;
const PASSWORD_LOCK = 7_060_119;

export interface MigrateOptions {
  readonly ownerUrl: string;
  readonly apiPassword?: string;
}

/**
 * Runs what is missing of the migrations as the database's owner, under an advisory lock, so that two callers at once
 * are safe. `ownerUrl` must belong to a role with CREATEROLE, or Porin's roles must exist.
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const client = new Connection({ connectionString: options.ownerUrl, application_name: 'porin-migrate' });
  await client.connect();
  const dataSource = makeDataSource({ url: options.ownerUrl, applicationName: 'porin-migrate', poolSize: 1 });
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await dataSource.initialize();
    await dataSource.runMigrations({ transaction: 'each' });
    await applyFunctions(client);
    await closeDatabase(client);
    await setPassword(client, 'porin_api', options.apiPassword);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
    await client.end();
  }
}

async function setPassword(client: pg.Client, role: string, password: string | undefined): Promise<void> {
  if (password === undefined) return;
  // Roles are global to the cluster: a concurrent ALTER ROLE fails with "tuple concurrently updated".
  await client.query('BEGIN');
  await client.query('SELECT pg_advisory_xact_lock($1)', [PASSWORD_LOCK]);
  await client.query(`ALTER ROLE ${pg.escapeIdentifier(role)} PASSWORD ${pg.escapeLiteral(password)}`);
  await client.query('COMMIT');
}
