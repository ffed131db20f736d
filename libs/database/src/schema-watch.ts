/** Whether the database still has the schema that this program was made for: at its start, and while it runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MIGRATIONS } from './data-source.js';
import { FUNCTIONS_DIGEST } from './functions/apply-functions.js';
import { RESTORE_MARK, UNFINISHED_RESTORE } from './restore-mark.js';

export class SchemaError extends Error {
  override readonly name = 'SchemaError';
  readonly code = 'schema-mismatch';
}

/** Runs SQL that answers rows with one text, `name`. */
export type QueryNames = (sql: string) => Promise<{ name: string | null }[]>;

const WATCH_MS = 5_000;

export interface SchemaState {
  readonly migrations: readonly string[];
  /** The digest of the functions; null where there are none. */
  readonly functions: string | null;
}

/**
 * Throws SchemaError unless the database has exactly the migrations and the functions of this program, and while a restore of it
 * is not finished. The functions refuse nodes then.
 */
export async function checkSchema(query: QueryNames): Promise<void> {
  const mark = await query(`SELECT to_regnamespace('${RESTORE_MARK}')::text AS name`);
  if (mark[0]?.name != null) throw new SchemaError(UNFINISHED_RESTORE);
  const there = await query(`SELECT to_regclass('migrations')::text AS name`);
  const migrations =
    there[0]?.name == null
      ? []
      : (await query('SELECT name FROM migrations ORDER BY id')).map(({ name }) => name ?? '');
  const schema = await query(`SELECT oid::text AS name FROM pg_namespace WHERE nspname = 'porin'`);
  const functions = schema[0] && (await query(`SELECT obj_description(${schema[0].name}, 'pg_namespace') AS name`));
  checkSchemaState({ migrations, functions: functions?.[0]?.name ?? null });
}

/** The same of what is known already. */
export function checkSchemaState({ migrations: applied, functions }: SchemaState): void {
  const known = MIGRATIONS.map((migration) => migration.name);
  const newer = applied.filter((name) => !known.includes(name));
  const missing = known.filter((name) => !applied.includes(name));
  if (newer.length > 0)
    throw new SchemaError(`The database is newer than this program (${newer.join(', ')}): upgrade Porin.`);
  if (missing.length > 0)
    throw new SchemaError(`The database lacks ${missing.join(', ')}: run "npm run porin-admin -- migrate".`);
  if (functions !== FUNCTIONS_DIGEST) {
    throw new SchemaError(
      'The functions of the database are those of another version of Porin: ' +
        'run "npm run porin-admin -- migrate" with the version that is to run, and start that one.',
    );
  }
}

/** Resolves with the mismatch once there is one. A database that does not answer is not of another version. */
export async function schemaMismatch(
  check: () => Promise<void>,
  signal: AbortSignal,
): Promise<SchemaError | undefined> {
  while (!signal.aborted) {
    try {
      await check();
    } catch (error) {
      if (error instanceof SchemaError) return error;
    }
    await sleep(WATCH_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
  return undefined;
}
