/** The real API on a fresh database and the real Redis, and keys for it. */
import 'reflect-metadata';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadApiConfig } from '#lib/config';
import { type NestExpressApplication } from '@nestjs/platform-express';
import pg from 'pg';
import { pino } from 'pino';
import supertest from 'supertest';
import { generateApiKey, hashApiKey } from '../../apps/api/src/auth/api-key.js';
import { createApp } from '../../apps/api/src/create-app.js';
import { makeTestDatabase, type TestDatabase } from './database.js';
import { required } from './environment.js';
import { WorkerRows } from './worker-rows.js';

export interface TestApi {
  readonly app: NestExpressApplication;
  readonly database: TestDatabase;
  readonly owner: pg.Client;
  readonly worker: WorkerRows;
  /** Of the key that this API signs decisions with; the private one where the settings name no other. */
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  get(key: string, path: string): supertest.Test;
  post(key: string, path: string, body?: object): supertest.Test;
  patch(key: string, path: string, body: object): supertest.Test;
  makeKey(options: { role: string; tenant?: string; expiresInMs?: number; revoked?: boolean }): Promise<string>;
  stop(): Promise<void>;
}

type Settings = Readonly<Record<string, string>>;

/**
 * `settings` beyond those that a test needs; a function gets the URL of the API's database. On a fresh database, unless there
 * is one already.
 */
export async function startTestApi(
  settings: Settings | ((databaseUrl: string) => Settings) = {},
  given?: TestDatabase,
): Promise<TestApi> {
  const database = given ?? (await makeTestDatabase());
  const directory = await mkdtemp(join(tmpdir(), 'porin-api-'));
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const keyFile = join(directory, 'signing-key.pem');
  await writeFile(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const config = loadApiConfig({
    PORIN_DATABASE_URL: database.apiUrl,
    PORIN_REDIS_URL: required('PORIN_TEST_REDIS_URL'),
    PORIN_SIGNING_KEY_FILE: keyFile,
    PORIN_RETRY_PAUSE_MS: '100',
    PORIN_INPUT_URL_PREFIXES: 'file:///',
    PORIN_OUTPUT_URL_PREFIXES: 'file:///',
    // Rows that stand for a worker claim when the test says so.
    PORIN_CLAIM_PATIENCE_MS: '3600000',
    ...(typeof settings === 'function' ? settings(database.apiUrl) : settings),
  });
  const app = await createApp(config, pino({ level: 'silent' }));
  await app.init();
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  const worker = await WorkerRows.connect(database.ownerUrl);
  const http = () => supertest(app.getHttpServer());
  const as = (key: string) => ({ Authorization: `Bearer ${key}` });
  return {
    app,
    database,
    owner,
    worker,
    publicKey,
    privateKey,
    get: (key, path) => http().get(path).set(as(key)),
    post: (key, path, body = {}) => http().post(path).set(as(key)).send(body),
    patch: (key, path, body) => http().patch(path).set(as(key)).send(body),
    async makeKey({ role, tenant = 'default', expiresInMs = 3_600_000, revoked = false }) {
      const key = generateApiKey();
      await owner.query(
        `INSERT INTO api_key (tenant, name, role, sha256, expires_at, revoked_at) VALUES ($1, 'test', $2, $3, $4, $5)`,
        [tenant, role, hashApiKey(key), new Date(Date.now() + expiresInMs), revoked ? new Date() : null],
      );
      return key;
    },
    async stop() {
      await app.close();
      await owner.end();
      await worker.end();
      await database.drop();
      await rm(directory, { recursive: true });
    },
  };
}
