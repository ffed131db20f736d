/** A worker whose Postgres takes connections and says nothing, as one does whose host has vanished. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { CONNECTION_LIMITS } from '#lib/database';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NodeDatabase } from '../store/node-database.js';
import { NodeSession } from './node-session.js';

const logger = pino({ level: 'silent' });
const { connectionTimeoutMillis, query_timeout: queryTimeoutMs } = CONNECTION_LIMITS;

/** PostgreSQL's messages (protocol 3.0, "Message Formats"): a type, a length that counts itself, a body. */
function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}
function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
const int16 = (value: number) => int32(value).subarray(2);
const READY = message('Z', Buffer.from('I'));
const AUTHENTICATED = Buffer.concat([message('R', int32(0)), READY]);
const DONE = message('C', Buffer.from('SELECT 1\0'));
const LISTENING = Buffer.concat([message('C', Buffer.from('LISTEN\0')), READY]);
const JSONB = 3802;
const COLUMN = [Buffer.from('answer\0'), int32(0), int16(0), int32(JSONB), int16(-1), int32(-1), int16(0)];
/** One row of one value, to a prepared statement. */
const row = (json: string) =>
  Buffer.concat([
    ...[message('1'), message('2'), message('T', int16(1), ...COLUMN)],
    ...[message('D', int16(1), int32(json.length), Buffer.from(json)), DONE, READY],
  ]);
const [TRUE, NONE] = [row('true'), row('[]')];

/** Answers what comes, one after another, on every connection; from there on nothing. It never closes a connection either. */
class SilentServer {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  #messages = 0;
  #heard: () => void = () => undefined;
  answers: readonly Buffer[] = [];

  constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.push(socket);
      const rest = [...this.answers];
      socket.on('error', () => undefined);
      socket.on('data', () => {
        this.#messages++;
        const answer = rest.shift();
        if (answer) socket.write(answer);
        this.#heard();
      });
    });
  }

  async listen(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `postgres://porin@127.0.0.1:${(this.#server.address() as AddressInfo).port}/porin`;
  }

  get connections(): number {
    return this.#sockets.length;
  }

  /** Resolves when so much has come since the start. */
  async heard(messages: number): Promise<void> {
    while (this.#messages < messages) await new Promise<void>((resolve) => (this.#heard = resolve));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

let server: SilentServer;
let url: string;
beforeEach(async () => {
  server = new SilentServer();
  url = await server.listen();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  server.close();
});

describe('a Postgres that says nothing', () => {
  it('is not waited for when a connection is made', async () => {
    const database = new NodeDatabase({ url, logger });
    const refused = expect(database.call('node_clock')).rejects.toThrow();
    await server.heard(1);
    await vi.advanceTimersByTimeAsync(connectionTimeoutMillis);
    await refused;
    await database.end();
  });

  it('does not hold a call, nor the connection that the next one is made on', async () => {
    server.answers = [AUTHENTICATED];
    const database = new NodeDatabase({ url, logger });
    for (const times of [1, 2]) {
      const refused = expect(database.call('node_clock')).rejects.toThrow();
      await server.heard(2 * times);
      await vi.advanceTimersByTimeAsync(queryTimeoutMs);
      await refused;
      expect(server.connections).toBe(times);
    }
    await database.end();
  });

  it('loses the session, which is opened anew', async () => {
    // To node_open_session, LISTEN and node_canceled.
    server.answers = [AUTHENTICATED, TRUE, LISTENING, NONE];
    const database = new NodeDatabase({ url, logger });
    const session = new NodeSession({
      url,
      nodeName: 'node-1',
      database,
      logger,
      onCancel: () => undefined,
      onProbe: () => undefined,
    });
    await session.open();
    await server.heard(4);
    const refused = expect(session.call('node_renew')).rejects.toThrow();
    await server.heard(5);
    await vi.advanceTimersByTimeAsync(queryTimeoutMs);
    await refused;
    await server.heard(9);
    expect(server.connections).toBe(2);
    const closed = session.close();
    await vi.advanceTimersByTimeAsync(connectionTimeoutMillis);
    await closed;
    await database.end();
  });
});
