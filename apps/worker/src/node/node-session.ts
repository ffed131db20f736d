/** The worker's own connection to Postgres: holds the node's name, and hears which jobs are canceled. */
import { Connection } from '#lib/database';
import { type Logger } from 'pino';
import { NODE_LOCK_CLASS } from './node-store.js';

const RECONNECT_MS = 1_000;

export class NodeNameTakenError extends Error {
  override readonly name = 'NodeNameTakenError';
  readonly code = 'node-name-taken';
}

export class NodeSession {
  #client: Connection | undefined;
  #closing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: { url: string; nodeName: string; logger: Logger; onCancel: (jobId: string) => void },
  ) {}

  /** Throws NodeNameTakenError while another worker runs as this node. */
  async open(): Promise<void> {
    const { url, nodeName, onCancel } = this.options;
    const client = new Connection({
      connectionString: url,
      application_name: 'porin-worker-session',
      keepAlive: true,
    });
    client.on('notification', ({ payload }) => onCancel(payload ?? ''));
    // Comes twice when Postgres ends the connection, by its message and by the socket, and also before `open` is through.
    client.on('error', (error) => {
      if (this.#client === client) this.#reopen(error);
    });
    await client.connect();
    try {
      const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1, hashtext($2)) AS held', [
        NODE_LOCK_CLASS,
        nodeName,
      ]);
      if (!rows[0]?.held) throw new NodeNameTakenError(`Another worker runs as node ${nodeName}. Set PORIN_NODE_NAME.`);
      await client.query('LISTEN porin_cancel');
    } catch (error) {
      await client.end();
      throw error;
    }
    this.#client = client;
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  /** A cancel that is missed meanwhile comes with the next renewal of the lease. */
  #reopen(error: Error): void {
    this.#client = undefined;
    if (this.#closing) return;
    this.options.logger.warn({ err: error }, 'the session with Postgres was lost');
    const again = () =>
      this.open().catch(() => {
        if (!this.#closing) this.#timer = setTimeout(() => void again(), RECONNECT_MS);
      });
    void again();
  }
}
