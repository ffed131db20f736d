/** The one class of connections to Postgres: a pool's, and those that a program holds itself. */
import pg from 'pg';
import { PreparedStatements } from './prepared-statements.js';

/**
 * Startup options of every connection. `public` is for a database that has no schema `porin` yet, and for what the owner of
 * an older one still has there.
 */
export const SEARCH_PATH_OPTION = '-c search_path=porin,public';

/** What recurs on one connection recurs on those that follow it. */
const statements = new PreparedStatements();

/**
 * A connection that can be lost at any moment without ending the program. A `pg.Client` emits `error` when Postgres or the
 * network ends it, and an `error` without a listener ends a Node program; a pool takes its own listener off for a moment
 * while it hands a client over. The loss itself is told by the next query, which rejects.
 *
 * Statements that recur are prepared.
 */
export class Connection extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    super({ options: SEARCH_PATH_OPTION, ...config });
    this.on('error', () => undefined);
    const send = this.query.bind(this) as (...args: readonly unknown[]) => unknown;
    this.query = ((first: unknown, ...rest: readonly unknown[]) => send(...prepared(first, rest))) as typeof this.query;
  }
}

/** The arguments of `query`, with a name for a text that has one. */
function prepared(first: unknown, rest: readonly unknown[]): readonly unknown[] {
  const [values, ...others] = rest;
  if (typeof first !== 'string' || (values !== undefined && !Array.isArray(values))) return [first, ...rest];
  const name = statements.nameOf(first);
  if (name === undefined) return [first, ...rest];
  return [{ name, text: first, values: values ?? [] }, ...others];
}
