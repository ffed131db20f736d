/**
 * What a restored database needs besides its rows: roles before, and afterwards owners of functions, the schema of this
 * version, and nothing that an earlier life of the grid could still use. docs/operations.md, "Backup and restore".
 */
import { ATTEMPT_TRANSITIONS } from '#lib/jobs';
import { Connection, NO_STATEMENT_LIMITS } from './connection.js';
import { API_FUNCTIONS, NODE_FUNCTIONS } from './functions/functions.js';
import { migrate, type MigrateOptions } from './migrate.js';
import { newRoleName } from './nodes/node-credentials.js';
import { closeEarlierRole, endNodeSessions, IS_NODE, pastNodes } from './nodes/node-sessions.js';
import {
  markRestore,
  readRestoreMark,
  removeRestoreMark,
  type RestoreMark,
  UNFINISHED_RESTORE,
} from './restore-mark.js';

/** Approvals that may have been signed after the backup, at most: numbers that they used must not be used again. */
const SEQUENCE_GAP = 1_000_000;

/** A dump names its roles in GRANT, and holds none: they belong to the cluster. */
const ROLES = `
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'porin_api') THEN CREATE ROLE porin_api LOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'porin_worker') THEN CREATE ROLE porin_worker LOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'porin_functions') THEN CREATE ROLE porin_functions NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'porin_node') THEN CREATE ROLE porin_node NOLOGIN; END IF;
END $$;
GRANT porin_functions TO CURRENT_USER;
`;

export class RestoreError extends Error {
  override readonly name = 'RestoreError';
  readonly code = 'restore-refused';
}

export interface Restored {
  /** Number of the last approval in the backup, and what the next one comes after. */
  readonly lastSequence: number;
  readonly sequence: number;
  readonly lostAttempts: number;
  /** Names of nodes, whose workers need credentials of this database. */
  readonly nodes: readonly string[];
  /** Keys that the database accepts. Those that were revoked after the backup are among them. */
  readonly validKeys: number;
}

/**
 * Makes the roles, and room for what is restored: the schema `porin` goes, and a mark stays until the restore is finished.
 * Nodes of the grid that is replaced cannot log in any more. Throws RestoreError while programs of ours are connected, and
 * without `replace` where the schema holds anything.
 */
export async function prepareRestore(ownerUrl: string, options: { readonly replace: boolean }): Promise<void> {
  await asOwner(ownerUrl, async (owner) => {
    await requireNobody(owner);
    const { rows: old } = await owner.query(`SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = 'job'`);
    const mark = await readRestoreMark(owner);
    if (mark && !options.replace && (await hasRows(owner))) throw new RestoreError(UNFINISHED_RESTORE);
    if (old.length > 0) throw new RestoreError('This database holds an older Porin: restore into a new one.');
    if (!options.replace && (await holdsAnything(owner))) {
      throw new RestoreError(
        'This database holds a grid already: restore into a new one, or replace it with --replace.',
      );
    }
    await owner.query('BEGIN');
    const { sequence, roles } = await replaced(owner);
    await markRestore(owner, { sequence });
    await owner.query(`DROP SCHEMA IF EXISTS porin CASCADE; ${ROLES}`);
    for (const role of roles) await closeEarlierRole(owner, role);
    await owner.query('COMMIT');
    await endNodeSessions(owner);
  });
}

/**
 * After the rows are there: brings the schema to this version, and ends what ran when the backup was made. Throws RestoreError
 * where nothing was prepared or restored, and while programs of ours are connected.
 */
export async function finishRestore(options: MigrateOptions): Promise<Restored> {
  await asOwner(options.ownerUrl, async (owner) => {
    if (!(await readRestoreMark(owner))) {
      throw new RestoreError('There is no restore to finish here: "porin-admin restore prepare" begins one.');
    }
    if (!(await hasRows(owner))) throw new RestoreError('Nothing is restored yet: run pg_restore first.');
    await requireNobody(owner);
    await endNodeSessions(owner);
    await owner.query(ROLES);
    await giveFunctionsBack(owner);
  });
  await migrate(options, { isRestore: true });
  return asOwner(options.ownerUrl, async (owner) => {
    await owner.query('BEGIN');
    const mark = await readRestoreMark(owner);
    if (!mark) throw new RestoreError('Somebody else has finished this restore.');
    const restored = await endEarlierLife(owner, mark);
    await owner.query(
      `INSERT INTO audit (tenant, actor, action, subject_type, subject_id, detail)
       VALUES ('default', 'command line', 'database.restore', 'database', current_database(), $1)`,
      [restored],
    );
    await removeRestoreMark(owner);
    await owner.query('COMMIT');
    await endNodeSessions(owner);
    return restored;
  });
}

/** Nodes may be connected: what they call themselves is theirs to choose, and nothing waits for them. */
async function requireNobody(owner: Connection): Promise<void> {
  const { rows: connected } = await owner.query<{ name: string }>(
    `SELECT DISTINCT application_name AS name FROM pg_stat_activity AS session
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'porin-%' AND NOT (${IS_NODE})`,
  );
  if (connected.length === 0) return;
  const names = connected.map(({ name }) => name).join(', ');
  throw new RestoreError(`Stop the API and the workers first: ${names} is connected to this database.`);
}

/** What is lost with the schema, of whatever version it is. */
async function replaced(owner: Connection): Promise<{ sequence: number; roles: readonly string[] }> {
  const { rows: there } = await owner.query<{ sequence: boolean; node: boolean }>(
    `SELECT to_regclass('porin.approval_sequence') IS NOT NULL AS sequence, to_regclass('porin.node') IS NOT NULL AS node`,
  );
  const last = there[0]?.sequence
    ? await owner.query<{ last: string }>('SELECT last_value AS last FROM porin.approval_sequence')
    : undefined;
  const nodes = there[0]?.node
    ? await owner.query<{ role: string | null }>(`SELECT to_jsonb(node)->>'role_name' AS role FROM porin.node`)
    : undefined;
  return {
    sequence: Number(last?.rows[0]?.last ?? 0),
    roles: nodes?.rows.flatMap(({ role }) => role ?? []) ?? [],
  };
}

/** Of any version: the schema's name came later than the table. */
async function hasRows(owner: Connection): Promise<boolean> {
  const { rows } = await owner.query<{ there: boolean }>(
    `SELECT coalesce(to_regclass('porin.job'), to_regclass('public.job')) IS NOT NULL AS there`,
  );
  return rows[0]?.there ?? false;
}

/** pg_restore --no-owner gives all to the restoring role; what nodes call must not run with its rights. */
async function giveFunctionsBack(owner: Connection): Promise<void> {
  const { rows: schema } = await owner.query(`SELECT FROM pg_namespace WHERE nspname = 'porin'`);
  if (schema.length === 0) return;
  const { rows } = await owner.query<{ signature: string }>(
    `SELECT oid::regprocedure::text AS signature FROM pg_proc
     WHERE pronamespace = 'porin'::regnamespace AND proname = ANY ($1)`,
    [[...NODE_FUNCTIONS, ...API_FUNCTIONS].map(({ name }) => name)],
  );
  for (const { signature } of rows) await owner.query(`ALTER FUNCTION ${signature} OWNER TO porin_functions`);
  // They are made anew whatever version the dump is of.
  await owner.query('COMMENT ON SCHEMA porin IS NULL');
}

/**
 * The next number comes after all that the backup knows, all that the replaced grid knew, and all that an earlier restore of
 * the same backup may have led to: decisions are made less often than once a millisecond.
 */
async function endEarlierLife(owner: Connection, mark: RestoreMark): Promise<Restored> {
  const { rows: numbers } = await owner.query<{ last: string; next: string }>(
    `SELECT last, setval('approval_sequence', greatest(last + $1, $2::bigint + $1,
       floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)) AS next
     FROM (SELECT greatest((SELECT last_value FROM approval_sequence),
                           (SELECT coalesce(max(sequence), 0) FROM approval)) AS last) AS used`,
    [SEQUENCE_GAP, mark.sequence],
  );
  const { rowCount: lostAttempts } = await owner.query(
    `UPDATE attempt SET state = 'LOST', ended_at = now(), error_code = 'lease-lost',
       error_message = 'The database was restored from a backup.'
     WHERE state = ANY($1)`,
    [statesThatMayBeLost()],
  );
  const nodes = await closeNodes(owner);
  const { rows: keys } = await owner.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM api_key WHERE revoked_at IS NULL AND expires_at > now()',
  );
  return {
    lastSequence: Number(numbers[0]?.last),
    sequence: Number(numbers[0]?.next),
    lostAttempts: lostAttempts ?? 0,
    nodes,
    validKeys: keys[0]?.count ?? 0,
  };
}

/** Names of all nodes. Whoever has a password of before is no node here, wherever else it may be one. */
async function closeNodes(owner: Connection): Promise<readonly string[]> {
  const { rows: nodes } = await owner.query<{ id: string; name: string; role: string | null }>(
    'SELECT id, name, role_name AS role FROM node ORDER BY name FOR UPDATE',
  );
  for (const { id, name, role } of nodes) {
    await owner.query(
      `UPDATE node SET state = 'GONE', public_key = NULL, redis_password_sha256 = NULL, registration = NULL,
         registration_verified = false, sealing_key = NULL, role_name = $2 WHERE id = $1`,
      [id, role === null ? null : newRoleName(name)],
    );
    if (role !== null) await closeEarlierRole(owner, role);
  }
  return nodes.map(({ name }) => name);
}

function statesThatMayBeLost(): string[] {
  return Object.entries(ATTEMPT_TRANSITIONS).flatMap(([from, to]) =>
    (to as readonly string[]).includes('LOST') ? [from] : [],
  );
}

async function holdsAnything(owner: Connection): Promise<boolean> {
  const { rows } = await owner.query<{ name: string }>(
    `SELECT format('porin.%I', tablename) AS name FROM pg_tables
     WHERE schemaname = 'porin' AND tablename IN ('api_key', 'application', 'job', 'profile_version')`,
  );
  for (const { name } of rows) {
    if (((await owner.query(`SELECT FROM ${name} LIMIT 1`)).rowCount ?? 0) > 0) return true;
  }
  return false;
}

async function asOwner<T>(ownerUrl: string, work: (owner: Connection) => Promise<T>): Promise<T> {
  // Not one of the programs that must be stopped.
  const owner = new Connection({
    ...{ connectionString: ownerUrl, application_name: 'admin-restore' },
    ...NO_STATEMENT_LIMITS,
  });
  await owner.connect();
  try {
    return await pastNodes(ownerUrl, () => work(owner));
  } finally {
    await owner.end();
  }
}
