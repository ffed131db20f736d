import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataSource } from './data-source.js';

/** PostgreSQL's messages (protocol 3.0, "Message Formats"): a type, a length that counts itself, a body. */
function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}
const AUTHENTICATED = message('R', Buffer.alloc(4));
const READY = message('Z', Buffer.from('I'));
const SHUT_DOWN = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'));

/** A Postgres that is shut down in the moment in which a connection is ready: pg hands it over, and loses it, in one turn. */
let server: Server;
let url: string;
let connections = 0;
beforeAll(async () => {
  server = createServer((socket) => {
    connections++;
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, SHUT_DOWN])));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `postgres://porin@127.0.0.1:${(server.address() as AddressInfo).port}/porin`;
});
afterAll(() => server.close());

describe('a connection that Postgres ends while it is handed over', () => {
  it('ends no program, and its query rejects', async () => {
    const uncaught: unknown[] = [];
    const note = (error: unknown) => void uncaught.push(error);
    process.on('uncaughtException', note);
    try {
      const dataSource = makeDataSource({ url, applicationName: 'test' });
      for (let times = 0; times < 20; times++) {
        await dataSource.initialize().catch(() => undefined);
        await expect(dataSource.query('SELECT 1')).rejects.toThrow();
        if (dataSource.isInitialized) await dataSource.destroy();
      }
      expect(connections).toBeGreaterThanOrEqual(20);
      expect(uncaught).toEqual([]);
    } finally {
      process.off('uncaughtException', note);
    }
  });
});
