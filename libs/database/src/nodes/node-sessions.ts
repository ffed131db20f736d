/** Ends sessions of nodes that are in an administrator's way: locks and transactions are what Postgres lets every role have. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Connection, NO_STATEMENT_LIMITS } from '../connection.js';

/** Of a session `session`: it is a node's. A node may call itself as it likes, but not log in as another role. */
export const IS_NODE = `session.usename LIKE 'porin\\_node\\_%' AND session.usesysid IN (
  SELECT member FROM pg_auth_members JOIN pg_roles ON pg_roles.oid = roleid WHERE rolname = 'porin_node')`;

/** How soon somebody who stands in the way is ended. */
const PERIOD_MS = 200;
const ALTER_TRIES = 20;

/** A session that waits for its lock is the next to have it, however soon the node comes again. */
const END_THOSE_IN_THE_WAY = `
SELECT pg_terminate_backend(session.pid) FROM pg_stat_activity AS session
WHERE session.pid IN (
  SELECT unnest(pg_blocking_pids(waiting.pid)) FROM pg_stat_activity AS waiting
  WHERE waiting.datname = current_database() AND waiting.usename = current_user AND waiting.wait_event_type = 'Lock'
) AND ${IS_NODE}`;

/** Of one role. */
export async function endSessions(owner: pg.ClientBase, roleName: string): Promise<void> {
  await owner.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [roleName]);
}

/** Nobody logs in by the role any more. */
export async function closeRoleIfThere(owner: pg.ClientBase, roleName: string): Promise<void> {
  const { rowCount } = await owner.query('SELECT FROM pg_roles WHERE rolname = $1', [roleName]);
  if (rowCount !== 0) await closeRole(owner, roleName);
}

async function closeRole(owner: pg.ClientBase, roleName: string, { leaveOthers = false } = {}): Promise<void> {
  // A role may change itself at the same moment ("tuple concurrently updated").
  await owner.query(`DO $$ BEGIN
    FOR times IN 1..${ALTER_TRIES} LOOP
      BEGIN
        EXECUTE ${pg.escapeLiteral(`ALTER ROLE ${pg.escapeIdentifier(roleName)} NOLOGIN`)};
        RETURN;
      EXCEPTION WHEN internal_error THEN
        IF times = ${ALTER_TRIES} THEN RAISE; END IF;
      END;
    END LOOP;
  ${leaveOthers ? 'EXCEPTION WHEN insufficient_privilege THEN NULL;' : ''}
  END $$`);
}

/**
 * The same of the role of a grid that was restored, or replaced: it is left alone where it is in use in another database of the
 * cluster, as where this one is a copy, and where it is another owner's. "ALTER ROLE ... LOGIN" takes it back.
 */
export async function closeEarlierRole(owner: pg.ClientBase, roleName: string): Promise<void> {
  const { rowCount } = await owner.query(
    `SELECT FROM pg_roles JOIN pg_auth_members ON member = pg_roles.oid
     WHERE rolname = $1 AND roleid = to_regrole('porin_node')
       AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = $1 AND datname <> current_database())`,
    [roleName],
  );
  if (rowCount !== 0) await closeRole(owner, roleName, { leaveOthers: true });
}

/** Without a login it stays where another database still knows the role, such as a copy of this one. */
export async function dropRole(owner: pg.ClientBase, roleName: string): Promise<void> {
  await owner.query(`DO $$ BEGIN
    EXECUTE ${pg.escapeLiteral(`DROP ROLE IF EXISTS ${pg.escapeIdentifier(roleName)}`)};
  EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
  END $$`);
}

/** Of all nodes in this database. */
export async function endNodeSessions(owner: pg.ClientBase): Promise<void> {
  await owner.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity AS session WHERE datname = current_database() AND ${IS_NODE}`,
  );
}

/**
 * `work` by sessions of the owner's role in this database. While it goes on, a session of a node that one of them waits for
 * is ended, so that no node can hold it up.
 */
export async function pastNodes<T>(ownerUrl: string, work: () => Promise<T>): Promise<T> {
  const watch = new Connection({ connectionString: ownerUrl, application_name: 'admin-watch', ...NO_STATEMENT_LIMITS });
  await watch.connect();
  const over = new AbortController();
  const watching = keepEnding(watch, over.signal);
  try {
    return await work();
  } finally {
    over.abort();
    await watching;
    await watch.end();
  }
}

/** Where the connection is lost the work's are too, and it ends by itself. */
async function keepEnding(watch: Connection, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await watch.query(END_THOSE_IN_THE_WAY).catch(() => undefined);
    await sleep(PERIOD_MS, undefined, { signal }).catch(() => undefined);
  }
}
