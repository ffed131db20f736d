/** Connections that harm a server which trusts them: reset at a bad time, full of requests, or never read. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { ApiProcess } from '../support/api-process.js';
import { makeTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { RawConnection } from '../support/raw-http.js';

describe('a connection that is reset', () => {
  let database: TestDatabase;
  let api: ApiProcess;
  let url: string;
  beforeAll(async () => {
    database = await makeTestDatabase();
    api = ApiProcess.start(database.apiUrl);
    url = await api.url();
  });
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  it.each([
    ['as a tunnel', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['as a tunnel that goes on', `CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n${'x'.repeat(100_000)}`],
    ['as another protocol', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['as HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['as noise', '\x16\x03\x01\x02\r\n\r\n'],
    ['as a request', 'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['as half a request', 'POST /api/v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{'],
  ])('%s does not end the API', async (_what, text) => {
    // The reset comes before, while and after the server answers.
    for (let round = 0; round < 40; round++) {
      const connection = await RawConnection.open(url);
      connection.send(text);
      await sleep(round % 4);
      connection.reset();
    }
    await sleep(100);
    expect(api.child.exitCode, api.log).toBeNull();
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect(api.log).not.toContain('an error that nothing caught');
  });
});

describe('a connection without a key', () => {
  let api: TestApi;
  let url: string;
  beforeAll(async () => {
    api = await startTestApi({ PORIN_REQUEST_TIMEOUT_MS: '1000', PORIN_OPEN_FILES_LIMIT_PER_MINUTE: '100000' });
    await api.app.listen(0, '127.0.0.1');
    url = await api.app.getUrl();
  });
  afterAll(() => api.stop());

  const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const answersIn = (text: string) => text.split('HTTP/1.1 ').length - 1;

  it.each(['/openapi.json', '/nothing', '/health/live', 'http://['])(
    'is ended when it asks for %s 1,770 times at once',
    async (path) => {
      const connection = await RawConnection.open(url);
      connection.send(request(path).repeat(1_770));
      await connection.close();
      expect(answersIn(connection.received)).toBeLessThanOrEqual(16);
      expect((await fetch(`${url}/health/live`)).status).toBe(200);
    },
  );

  it('may send a few requests ahead of their answers', async () => {
    const connection = await RawConnection.open(url);
    for (const round of [1, 2, 3]) {
      connection.send(request('/openapi.json').repeat(8));
      await eventually(() => {
        if (answersIn(connection.received) < 8 * round) throw new Error('answers are missing');
        return Promise.resolve();
      });
    }
    connection.destroy();
  });

  it('is ended where it takes in nothing of what it asked for', async () => {
    const connections = () =>
      new Promise<number>((resolve, reject) =>
        api.app.getHttpServer().getConnections((error: Error | null, count: number) => {
          if (error) reject(error);
          else resolve(count);
        }),
      );
    const connection = await RawConnection.open(url);
    connection.stopReading();
    // More than the kernel's buffers of both sides hold.
    connection.send(request('/docs/swagger-ui-bundle.js').repeat(16));
    await eventually(async () => {
      if ((await connections()) > 0) throw new Error('the connection is still there');
    });
    connection.destroy();
  });
});

describe('a connection that goes while a request waits behind another', () => {
  it('gives back what that one holds', async () => {
    const bodyLimitBytes = 64 * 1024;
    const api = await startTestApi({ PORIN_BODY_LIMIT_BYTES: String(bodyLimitBytes) });
    try {
      const key = await api.makeKey({ role: 'submitter' });
      await api.app.listen(0, '127.0.0.1');
      const url = await api.app.getUrl();
      const large = JSON.stringify({ name: 'x'.repeat(bodyLimitBytes - 100) });
      const status = async () => (await api.post(key, '/api/v1/jobs', JSON.parse(large) as object)).status;
      await api.owner.query('BEGIN');
      await api.owner.query('LOCK TABLE job');
      const connections: RawConnection[] = [];
      // What is probed with takes room too, and may cost one of them its own.
      await eventually(async () => {
        const connection = await RawConnection.open(url);
        connections.push(connection);
        connection.sendHead('GET /api/v1/jobs HTTP/1.1', `Authorization: Bearer ${key}`);
        connection.sendHead(
          ...['POST /api/v1/jobs HTTP/1.1', `Authorization: Bearer ${key}`, 'Content-Type: application/json'],
          `Content-Length: ${large.length}`,
        );
        connection.send(large);
        expect(await status()).toBe(429);
      });
      for (const connection of connections) connection.destroy();
      await eventually(async () => expect(await status()).toBe(400));
      await api.owner.query('ROLLBACK');
    } finally {
      await api.stop();
    }
  });
});
