/** The one class of connections to Postgres: a pool's, and those that a program holds itself. */
import pg from 'pg';
import { PreparedStatements } from './prepared-statements.js';

/**
 * Startup options of every connection. `public` is for a database that has no schema `porin` yet, and for what the owner of
 * an older one still has there.
 */
export const SEARCH_PATH_OPTION = '-c search_path=porin,public';

/**
 * Of every connection that is given no others. The last two are kept here and not in Postgres: for a server that takes
 * connections and says nothing, and for one whose host has vanished. Milliseconds.
 */
export const CONNECTION_LIMITS = {
  statement_timeout: 30_000,
  query_timeout: 35_000,
  connectionTimeoutMillis: 5_000,
} as const;
/** For statements that take as long as they take: those of an administrator. */
export const NO_STATEMENT_LIMITS = { statement_timeout: 0, query_timeout: 0 } as const;
/** To say goodbye. */
const END_TIMEOUT_MS = 5_000;

/** What recurs on one connection recurs on those that follow it. */
const statements = new PreparedStatements();

/**
 * A connection that can be lost at any moment without ending the program. A `pg.Client` emits `error` when Postgres or the
 * network ends it, and an `error` without a listener ends a Node program; a pool takes its own listener off for a moment
 * while it hands a client over. The loss itself is told by the next query, which rejects.
 *
 * A connection on which an answer did not come in time is lost too: `pg` alone would let the next query wait behind that one.
 *
 * Statements that recur are prepared.
 */
export class Connection extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    super({ options: SEARCH_PATH_OPTION, ...CONNECTION_LIMITS, ...config });
    this.on('error', () => undefined);
    const send = this.query.bind(this) as (...args: readonly unknown[]) => unknown;
    this.query = ((first: unknown, ...rest: readonly unknown[]) => {
      const watching = rest.map((each) => this.#watching(each));
      return this.#watched(send(...prepared(first, watching)));
    }) as typeof this.query;
    const end = this.end.bind(this) as (...args: readonly unknown[]) => unknown;
    this.end = ((...rest: readonly unknown[]) => {
      const late = setTimeout(() => this.#destroy(), END_TIMEOUT_MS).unref();
      this.once('end', () => clearTimeout(late));
      return end(...rest);
    }) as typeof this.end;
  }

  /** A callback, which is told first. */
  #watching(argument: unknown): unknown {
    if (typeof argument !== 'function') return argument;
    return (error: unknown, ...rest: readonly unknown[]): void => {
      (argument as (...args: readonly unknown[]) => void)(error, ...rest);
      this.#look(error);
    };
  }

  #watched(result: unknown): unknown {
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      this.#look(error);
      throw error;
    });
  }

  #look(error: unknown): void {
    if (error instanceof Error && error.message === 'Query read timeout') this.#destroy();
  }

  #destroy(): void {
    this.connection.stream.destroy();
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
