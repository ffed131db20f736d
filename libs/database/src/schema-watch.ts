/** Whether the database still has the schema that this program was made for: at its start, and while it runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MIGRATIONS } from './data-source.js';
import { FUNCTIONS_DIGEST } from './functions/apply-functions.js';

export class SchemaError extends Error {
  override readonly name = 'SchemaError';
  readonly code = 'schema-mismatch';
}

/** Runs SQL that answers rows with one text, `name`. */
export type QueryNames = (sql: string) => Promise<{ name: string | null }[]>;

const WATCH_MS = 5_000;

/** Throws SchemaError unless the database has exactly the migrations and the functions of this program. */
export async function checkSchema(query: QueryNames): Promise<void> {
  const there = await query(`SELECT to_regclass('migrations')::text AS name`);
  const applied =
    there[0]?.name == null
      ? []
      : (await query('SELECT name FROM migrations ORDER BY id')).map(({ name }) => name ?? '');
  const known = MIGRATIONS.map((migration) => migration.name);
  const newer = applied.filter((name) => !known.includes(name));
  const missing = known.filter((name) => !applied.includes(name));
  if (newer.length > 0)
    throw new SchemaError(`The database is newer than this program (${newer.join(', ')}): upgrade Porin.`);
  if (missing.length > 0)
    throw new SchemaError(`The database lacks ${missing.join(', ')}: run "npm run porin-admin -- migrate".`);
  const functions = await query(`SELECT obj_description('porin'::regnamespace, 'pg_namespace') AS name`);
  if (functions[0]?.name !== FUNCTIONS_DIGEST) {
    throw new SchemaError(
      'The functions of the database are those of another version of Porin: ' +
        'run "npm run porin-admin -- migrate" with the version that is to run, and start that one.',
    );
  }
}

/** Resolves with the mismatch once there is one. A database that does not answer is not of another version. */
export async function schemaMismatch(query: QueryNames, signal: AbortSignal): Promise<SchemaError | undefined> {
  while (!signal.aborted) {
    try {
      await checkSchema(query);
    } catch (error) {
      if (error instanceof SchemaError) return error;
    }
    await sleep(WATCH_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
  return undefined;
}
