/** The worker's way to the database: functions of the schema `porin`, each called with one record. It reaches no table. */
import { Connection, checkSchemaState, SchemaError, type SchemaState, UNFINISHED_RESTORE } from '#lib/database';
import pg from 'pg';
import { type Logger } from 'pino';

/** Calls a function and resolves to its answer; `content` goes beside the record, as bytes. */
export interface NodeCalls {
  call<T>(name: string, input?: object, content?: Buffer): Promise<T>;
}

/** With the session's, three connections: as many as the node's role may have. */
const POOL_SIZE = 2;

export class NodeDatabase implements NodeCalls {
  readonly #pool: pg.Pool;

  /** Calls end by the limits of Connection, whatever becomes of the server; they wait for one another as long as they must. */
  constructor({ url, logger }: { url: string; logger: Logger }) {
    // eslint-disable-next-line no-restricted-syntax -- of Connections
    this.#pool = new pg.Pool({
      Client: Connection,
      connectionString: url,
      application_name: 'porin-worker',
      max: POOL_SIZE,
      keepAlive: true,
    });
    this.#pool.on('error', (error) => logger.warn({ err: error }, 'a connection to Postgres was lost'));
  }

  call<T>(name: string, input: object = {}, content?: Buffer): Promise<T> {
    return callFunction<T>(this.#pool, name, input, content);
  }

  /** Throws SchemaError unless the database is of this version. */
  async checkSchema(): Promise<void> {
    checkSchemaState(await this.call<SchemaState>('node_schema').catch(asSchemaProblem));
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}

/** Undefined function, no such schema, no right: the database is of an earlier version, or does not know the node. */
const UNKNOWN_TO_DATABASE = ['42883', '3F000', '42501'];
/** `object_not_in_prerequisite_state`, by calling_node: nobody is a node before a restore is finished. */
const BEING_RESTORED = '55000';

/** Throws SchemaError for those, else the error itself. */
export function asSchemaProblem(error: Error & { code?: string }): never {
  if (error.code === BEING_RESTORED) throw new SchemaError(UNFINISHED_RESTORE, { cause: error });
  if (!UNKNOWN_TO_DATABASE.includes(error.code ?? '')) throw error;
  throw new SchemaError(
    `The database does not know this node (${error.message}): "porin-admin migrate" upgrades it, "porin-admin node add" adds the node.`,
    { cause: error },
  );
}

export async function callFunction<T>(
  connection: pg.Pool | pg.Client,
  name: string,
  input: object,
  content?: Buffer,
): Promise<T> {
  const { rows } = await connection.query<{ answer: T }>(
    `SELECT porin.${name}($1::jsonb${content ? ', $2::bytea' : ''}) AS answer`,
    [storableJson(input), ...(content ? [content] : [])],
  );
  return rows[0]?.answer as T;
}

/** Postgres stores neither NUL nor halves of characters; a program chooses what it is called and what it says. */
function storableJson(input: object): string {
  const text = JSON.stringify(input);
  if (!/\\u(0000|d[89a-f])/i.test(text)) return text;
  return JSON.stringify(input, (_key, value: unknown) =>
    typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd').replaceAll('\0', '\ufffd') : value,
  );
}
