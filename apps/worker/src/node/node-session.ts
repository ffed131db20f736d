/** The worker's own connection to Postgres: holds the node's name, renews leases, and hears that jobs are canceled. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '#lib/database';
import { type Logger } from 'pino';
import { callFunction, type NodeCalls } from '../store/node-database.js';

const RECONNECT_MS = 1_000;
/** Whoever is woken asks by its heartbeat whether it is meant. */
const PROBE_CHANNEL = 'porin_probe';
/** `too_many_connections`, of a role as of a server. */
const TOO_MANY_CONNECTIONS = '53300';

export class NodeNameTakenError extends Error {
  override readonly name = 'NodeNameTakenError';
  readonly code = 'node-name-taken';
}

export interface NodeSessionOptions {
  readonly url: string;
  readonly nodeName: string;
  /** Used for calls while the session is away. */
  readonly database: NodeCalls;
  readonly logger: Logger;
  readonly onCancel: (jobId: string) => void;
  /** A probe of some node is asked for. */
  readonly onProbe: () => void;
}

export class NodeSession implements NodeCalls {
  #client: Connection | undefined;
  #closing = false;
  #timer: NodeJS.Timeout | undefined;
  #isLookingUp = false;
  #lookAgain = false;

  constructor(private readonly options: NodeSessionOptions) {}

  /** Throws NodeNameTakenError while another worker runs as this node. */
  async open(): Promise<void> {
    const { url } = this.options;
    const client = new Connection({
      connectionString: url,
      application_name: 'porin-worker-session',
      keepAlive: true,
    });
    client.on('notification', ({ channel }) => {
      if (channel === PROBE_CHANNEL) this.options.onProbe();
      else this.#lookUpCanceled();
    });
    // Comes twice when Postgres ends the connection, by its message and by the socket, and also before `open` is through.
    client.on('error', (error) => {
      if (this.#client === client) this.#reopen(error);
    });
    try {
      await client.connect();
      if (!(await callFunction<boolean>(client, 'node_open_session', {}))) throw this.#nameTaken();
      await client.query('LISTEN porin_cancel');
      await client.query(`LISTEN ${PROBE_CHANNEL}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw (error as { code?: string }).code === TOO_MANY_CONNECTIONS ? this.#nameTaken({ cause: error }) : error;
    }
    this.#client = client;
    this.#lookUpCanceled();
  }

  /**
   * As open, but waits for the name: an earlier worker of this node, whose supervisor was killed, drains first. Throws
   * NodeNameTakenError after `waitMs`.
   */
  async openWithin(waitMs: number): Promise<void> {
    const { logger, nodeName } = this.options;
    let isTold = false;
    for (const deadline = performance.now() + waitMs; ;) {
      try {
        return await this.open();
      } catch (error) {
        if (!(error instanceof NodeNameTakenError) || performance.now() > deadline) throw error;
        if (!isTold) logger.warn({ nodeName, waitMs }, 'another worker runs as this node: its name is waited for');
        isTold = true;
      }
      await sleep(RECONNECT_MS);
    }
  }

  call<T>(name: string, input: object = {}, content?: Buffer): Promise<T> {
    if (this.#client) return callFunction<T>(this.#client, name, input, content);
    return this.options.database.call<T>(name, input, content);
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  #nameTaken(options?: ErrorOptions): NodeNameTakenError {
    const { nodeName } = this.options;
    return new NodeNameTakenError(
      `Another worker runs as node ${nodeName}. Give this one credentials of its own (porin-admin node add).`,
      options,
    );
  }

  /** Anybody may wake us: which attempts are to be stopped is asked, once for any number of wake-ups. */
  #lookUpCanceled(): void {
    this.#lookAgain = true;
    if (!this.#isLookingUp) void this.#lookUp();
  }

  async #lookUp(): Promise<void> {
    this.#isLookingUp = true;
    while (this.#lookAgain && this.#client) {
      this.#lookAgain = false;
      // One that is missed comes with the next renewal of the lease.
      const canceled = await this.call<string[]>('node_canceled').catch(() => []);
      for (const jobId of canceled) this.options.onCancel(jobId);
    }
    this.#isLookingUp = false;
  }

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
