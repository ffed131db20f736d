/** What is answered while Postgres is away, hangs, is full or read-only: 503 with Retry-After, never a fault of ours. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import supertest from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { required } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { Proxy } from '../../scripts/services/proxy.js';

let api: TestApi;
let proxy: Proxy;
let key: string;
const job = { executors: [{ image: 'debian:bookworm', command: ['true'] }] };

beforeAll(async () => {
  const { hostname, port } = new URL(required('PORIN_TEST_DATABASE_URL'));
  proxy = await Proxy.open({ host: hostname, port: Number(port) });
  api = await startTestApi((databaseUrl) => {
    const through = new URL(databaseUrl);
    through.hostname = '127.0.0.1';
    through.port = String(proxy.port);
    return { PORIN_DATABASE_URL: through.href };
  });
  key = await api.makeKey({ role: 'admin' });
});
afterAll(async () => {
  await api.stop();
  await proxy.close();
});

const requests = (): [string, supertest.Test][] => [
  ['a list', api.get(key, '/api/v1/jobs')],
  ['a submission', api.post(key, '/api/v1/jobs', job)],
  ['a change', api.patch(key, '/api/v1/tenants/self', { fourEyes: false })],
  ['an unknown key', api.get(`porin_${'a'.repeat(43)}`, '/api/v1/jobs')],
];

function expectUnavailable(what: string, response: supertest.Response): void {
  expect([what, response.status, response.body.code]).toEqual([what, 503, 'database-unavailable']);
  expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
  expect(response.headers['content-type']).toContain('application/problem+json');
  // Addresses and SQL are for the log.
  expect(response.body.detail).not.toMatch(/\d{4}|SELECT|ECONN/);
}

describe('a Postgres that is away', () => {
  afterEach(async () => {
    await proxy.open();
    await eventually(async () => void (await api.get(key, '/api/v1/jobs').expect(200)));
  });

  it('is said, and health says it too; without a key one is refused as ever', async () => {
    await api.get(key, '/api/v1/jobs').expect(200);
    await proxy.close();
    for (let round = 0; round < 3; round++) {
      for (const [what, request] of requests()) expectUnavailable(what, await request);
    }
    const http = () => supertest(api.app.getHttpServer());
    await http().get('/api/v1/jobs').expect(401);
    await http().get('/health/live').expect(200);
    await eventually(async () => {
      const ready = await http().get('/health/ready').expect(503);
      expect(ready.body).toMatchObject({ status: 'down', postgres: 'down' });
    });
  });

  it('is said where the connection is lost under a statement', async () => {
    await api.owner.query('BEGIN');
    await api.owner.query('LOCK TABLE job IN ACCESS EXCLUSIVE MODE');
    const waiting = [api.get(key, '/api/v1/jobs'), api.post(key, '/api/v1/jobs', job)].map((request) => request.then());
    await eventually(async () => {
      // Within a transaction it would be the same at every look.
      await api.owner.query('SELECT pg_stat_clear_snapshot()');
      const { rows } = await api.owner.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'porin_api'`,
      );
      expect(rows.length).toBeGreaterThan(1);
    });
    await proxy.close();
    for (const request of waiting) expectUnavailable('under way', await request);
    await api.owner.query('ROLLBACK');
  });
});

describe('a statement that cannot be made now', () => {
  it('is answered with 503 where Postgres is read-only', async () => {
    const name = new URL(api.database.ownerUrl).pathname.slice(1);
    await api.owner.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    try {
      // Connections have had the old setting since they were made.
      await proxy.close();
      await proxy.open();
      await eventually(async () => expectUnavailable('read-only', await api.post(key, '/api/v1/jobs', job)));
      await eventually(async () => {
        const ready = await supertest(api.app.getHttpServer()).get('/health/ready').expect(503);
        expect(ready.body).toMatchObject({ postgres: 'down', redis: 'up' });
      });
    } finally {
      await api.owner.query('SET default_transaction_read_only = off');
      await api.owner.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
      await proxy.close();
      await proxy.open();
    }
    await eventually(async () => void (await api.post(key, '/api/v1/jobs', job).expect(201)));
  });

  it('is answered with 503 where every connection is in use', async () => {
    await api.owner.query('BEGIN');
    await api.owner.query('LOCK TABLE tenant_setting IN ACCESS EXCLUSIVE MODE');
    const waiting = Array.from({ length: 14 }, () => api.get(key, '/api/v1/tenants/self').then());
    const first = await Promise.race(waiting);
    expectUnavailable('beyond the pool', first);
    await api.owner.query('ROLLBACK');
    const all = await Promise.all(waiting);
    expect(all.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    for (const response of all) expect([200, 503]).toContain(response.status);
  });
});

describe('a Postgres that takes connections and says nothing', () => {
  it('holds nobody for longer than the lookup of a key may take', async () => {
    const sockets: Socket[] = [];
    await proxy.close();
    const silent = createServer((socket) => sockets.push(socket)).listen(proxy.port, '127.0.0.1');
    await once(silent, 'listening');
    try {
      for (const response of await Promise.all(requests().map(([, request]) => request))) {
        expectUnavailable('silent', response);
      }
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
      await proxy.open();
    }
    await eventually(async () => void (await api.get(key, '/api/v1/jobs').expect(200)));
  });
});
