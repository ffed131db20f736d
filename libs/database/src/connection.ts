/** The one class of connections to Postgres: a pool's, and those that a program holds itself. */
import pg from 'pg';

/**
 * Startup options of every connection. `public` is for a database that has no schema `porin` yet, and for what the owner of
 * an older one still has there.
 */
export const SEARCH_PATH_OPTION = '-c search_path=porin,public';

/**
 * A connection that can be lost at any moment without ending the program. A `pg.Client` emits `error` when Postgres or the
 * network ends it, and an `error` without a listener ends a Node program; a pool takes its own listener off for a moment
 * while it hands a client over. The loss itself is told by the next query, which rejects.
 */
export class Connection extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    super({ options: SEARCH_PATH_OPTION, ...config });
    this.on('error', () => undefined);
  }
}
