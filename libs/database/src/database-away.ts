/** Tells a database that is away, or going away, from a statement that is wrong. */

/**
 * SQLSTATE classes and codes (Postgres, appendix A) that say nothing about the statement: connections (08), who may connect
 * (28, 3D), resources (53), interventions of an operator and timeouts (57, 25P03), deadlocks and serialization (40), a lock
 * that cannot be taken (55P03), and a server that is read-only (25006).
 */
const AWAY_STATES = /^(08...|28...|3D000|53...|57...|40...|25P03|25006|55P03)$/;
/** Of these, what no statement can bring about by itself. */
const OVERWHELMED_STATES = /^(08...|53...|57P0[1-5]|25006)$/;
const AWAY_ERRNOS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);
/** What pg, pg-pool and TypeORM say without a code. */
const AWAY_MESSAGES =
  /^(Connection terminated|Connection ended|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|The server does not support SSL|terminating connection|Driver not Connected|Connection with .* database is not established)/;

/** Two that met one another: each may succeed alone. */
export function isConflict(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, driverError } = error as { code?: unknown; driverError?: unknown };
  return (typeof code === 'string' && /^40...$/.test(code)) || (driverError !== error && isConflict(driverError));
}

export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && (AWAY_STATES.test(code) || AWAY_ERRNOS.has(code))) return true;
  if (AWAY_MESSAGES.test(error.message)) return true;
  const { driverError } = error as { driverError?: unknown };
  return (driverError !== error && isDatabaseAway(driverError)) || isDatabaseAway(error.cause);
}

/** The server itself has said so: its disk is full, it goes down, it has no place. Errors of files and other servers are none. */
export function isServerOverwhelmed(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  const isOfServer = typeof code === 'string' && typeof severity === 'string';
  return (isOfServer && OVERWHELMED_STATES.test(code)) || isServerOverwhelmed(error.cause);
}
