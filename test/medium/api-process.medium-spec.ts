import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiProcess } from '../support/api-process.js';
import { makeEmptyDatabase, makeTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { Proxy } from '../../scripts/services/proxy.js';

const LOSING_MS = 15_000;

describe('an API whose connections are lost again and again', () => {
  let database: TestDatabase;
  let owner: pg.Client;
  let proxy: Proxy;
  let api: ApiProcess;
  beforeAll(async () => {
    database = await makeTestDatabase();
    owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    const { hostname, port } = new URL(database.apiUrl);
    proxy = await Proxy.open({ host: hostname, port: Number(port) });
    const url = new URL(database.apiUrl);
    url.host = `127.0.0.1:${proxy.port}`;
    api = ApiProcess.start(url.href);
  });
  afterAll(async () => {
    await api.stop();
    await proxy.close();
    await owner.end();
    await database.drop();
  });

  it('lives on, and answers as soon as it can', async () => {
    const url = await api.url();
    const over = AbortSignal.timeout(LOSING_MS);
    const statuses = new Set<number>();
    const ask = async () => {
      while (!over.aborted) {
        const response = await fetch(`${url}/api/v1/jobs`, { headers: { authorization: 'Bearer none' } });
        statuses.add(response.status);
        await response.arrayBuffer();
      }
    };
    const lose = async () => {
      while (!over.aborted) {
        await owner.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        );
        await sleep(Math.random() * 20);
      }
    };
    const cut = async () => {
      while (!over.aborted) {
        await sleep(300);
        await proxy.close();
        await sleep(50);
        await proxy.open();
      }
    };
    await Promise.all([...Array.from({ length: 8 }, ask), lose(), cut()]);
    expect(api.child.exitCode, api.log).toBeNull();
    expect(api.log).not.toContain('an error that nothing caught');
    expect(statuses).toContain(401);
    await eventually(async () => {
      const response = await fetch(`${url}/health/ready`);
      if (!response.ok) throw new Error(await response.text());
    });
  });
});

describe('an API that meets another schema', () => {
  it.each([
    ['has none', undefined, 'The database lacks CreateSchema1764000000000'],
    ['is newer', `INSERT INTO migrations (timestamp, name) VALUES (9, 'FromTheFuture9')`, 'newer than this program'],
    ['is older', `DELETE FROM migrations WHERE id = (SELECT max(id) FROM migrations)`, 'The database lacks'],
    ['has the functions of another version', `COMMENT ON SCHEMA porin IS 'functions of others'`, 'functions'],
  ])('ends at its start with exit code 3 and a sentence: the database %s', async (_name, change, sentence) => {
    const database = change === undefined ? await makeEmptyDatabase() : await makeTestDatabase();
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    if (change !== undefined) await owner.query(change);
    const api = ApiProcess.start('apiUrl' in database ? (database as TestDatabase).apiUrl : database.ownerUrl);
    try {
      expect(await api.ended).toBe(3);
      expect(api.log).toContain(sentence);
    } finally {
      await api.stop();
      await owner.end();
      await database.drop();
    }
  });

  it('ends while it runs, once a newer version has migrated the database', async () => {
    const database = await makeTestDatabase();
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    const api = ApiProcess.start(database.apiUrl);
    try {
      await api.url();
      await owner.query(`INSERT INTO migrations (timestamp, name) VALUES (9, 'FromTheFuture9')`);
      expect(await api.ended).toBe(3);
      expect(api.log).toContain('The database is newer than this program (FromTheFuture9): upgrade Porin.');
    } finally {
      await api.stop();
      await owner.end();
      await database.drop();
    }
  });
});

describe('an API that meets an error which nothing catches', () => {
  it.each(['uncaughtException', 'unhandledRejection'])('logs it and ends with exit code 1: %s', async (event) => {
    const database = await makeTestDatabase();
    const error =
      event === 'uncaughtException' ? 'throw new Error("as if")' : 'void Promise.reject(new Error("as if"))';
    const source = `process.once('SIGWINCH', () => { ${error} });`;
    const api = ApiProcess.start(database.apiUrl, {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}`,
    });
    try {
      await api.url();
      // None that ends the API in order.
      api.child.kill('SIGWINCH');
      expect(await api.ended).toBe(1);
      expect(api.log).toContain('an error that nothing caught ends this program');
      expect(api.log).toContain('as if');
    } finally {
      await api.stop();
      await database.drop();
    }
  });
});
