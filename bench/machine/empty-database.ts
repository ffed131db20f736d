/** An empty database for every bench: earlier jobs and an earlier schema must not be measured. */
import { Connection } from '#lib/database';
import pg from 'pg';
import { databaseUrls } from '../../scripts/services/database.js';
import { type Stack } from '../../scripts/services/stack.js';
import { readState } from '../../scripts/services/state.js';

/** Before the stack's programs start. Leaves a Postgres that is not ours as it is. */
export async function emptyDatabase({ instance, postgresUrl }: Stack): Promise<void> {
  if (!readState(instance).services.postgres?.ours) return;
  const name = new URL(databaseUrls(instance, postgresUrl).ownerUrl).pathname.slice(1);
  const client = new Connection({ connectionString: postgresUrl });
  await client.connect();
  try {
    await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}
