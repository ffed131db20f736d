/** The real API and dispatcher on a fresh database and the real Redis, and keys for it. */
import 'reflect-metadata';
import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadApiConfig, loadApprovalKeys, loadDispatcherConfig } from '#lib/config';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import { pino } from 'pino';
import supertest from 'supertest';
import { expect } from 'vitest';
import { generateApiKey, hashApiKey } from '../../apps/api/src/auth/api-key.js';
import { createApp } from '../../apps/api/src/create-app.js';
import { openDispatcher } from '../../apps/dispatcher/src/open-dispatcher.js';
import { makeTestDatabase, type TestDatabase } from './database.js';
import { required } from './environment.js';
import { eventually } from './eventually.js';
import { WorkerRows } from './worker-rows.js';

export interface TestApi {
  readonly app: NestFastifyApplication;
  /** Of the API and the dispatcher, the last lines. */
  readonly log: string;
  readonly database: TestDatabase;
  readonly owner: pg.Client;
  readonly worker: WorkerRows;
  /** Of the key that this API signs decisions with; the private one where the settings name no other. */
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  get(key: string, path: string): supertest.Test;
  post(key: string, path: string, body?: object): supertest.Test;
  patch(key: string, path: string, body: object): supertest.Test;
  put(key: string, path: string, body: object): supertest.Test;
  makeKey(options: KeyOptions): Promise<string>;
  /** Resolves when all that the dispatcher does again and again was done twice more. */
  dispatcherHasLooked(): Promise<void>;
  /** Ends the service and starts it on the same database, with these settings over those it had. */
  restart(settings?: Record<string, string>): Promise<void>;
  /** Ends the service and the connections of the test. */
  pause(): Promise<void>;
  stop(): Promise<void>;
}

export interface KeyOptions {
  readonly role: string;
  readonly tenant?: string;
  /** Whose it is; by default a service of its own. */
  readonly principal?: string;
  readonly expiresInMs?: number;
  readonly revoked?: boolean;
}

const LINES = 10_000;
/** What the dispatcher says at the end of its slowest turns. */
const TURNS = ['what waits was looked at', 'the rules have looked'] as const;

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
  const secretsKeyFile = join(directory, 'secrets-key');
  await writeFile(secretsKeyFile, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  let variables: Record<string, string> = {
    PORIN_DATABASE_URL: database.apiUrl,
    PORIN_REDIS_URL: required('PORIN_TEST_REDIS_URL'),
    PORIN_SIGNING_KEY_FILE: keyFile,
    PORIN_SECRETS_KEY_FILE: secretsKeyFile,
    PORIN_RETRY_PAUSE_MS: '100',
    PORIN_LOOK_MS: '200',
    PORIN_INPUT_URL_PREFIXES: 'file:///',
    PORIN_OUTPUT_URL_PREFIXES: 'file:///',
    // Rows that stand for a worker claim when the test says so.
    PORIN_CLAIM_PATIENCE_MS: '3600000',
    ...(typeof settings === 'function' ? settings(database.apiUrl) : settings),
  };
  const lines: string[] = [];
  const turns = new Map(TURNS.map((message) => [message, 0]));
  const start = async () => {
    const logger = pino(
      { level: 'trace' },
      {
        write: (line: string) => {
          if (lines.push(line) > LINES) lines.shift();
          const turn = TURNS.find((message) => line.includes(message));
          if (turn) turns.set(turn, (turns.get(turn) ?? 0) + 1);
        },
      },
    );
    const started = await createApp(loadApiConfig(variables), logger);
    await started.init();
    await started.getHttpAdapter().getInstance().ready();
    const config = loadDispatcherConfig(variables);
    return { app: started, dispatcher: await openDispatcher(config, loadApprovalKeys(config), logger) };
  };
  let running = await start();
  const close = async () => {
    await running.app.close();
    await running.dispatcher.close();
  };
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  const worker = await WorkerRows.connect(database.ownerUrl);
  let isPaused = false;
  const pause = async () => {
    await close();
    await owner.end();
    await worker.end();
    isPaused = true;
  };
  const http = () => supertest(running.app.getHttpServer());
  const as = (key: string) => ({ Authorization: `Bearer ${key}` });
  return {
    get app() {
      return running.app;
    },
    get log() {
      return lines.join('');
    },
    database,
    owner,
    worker,
    publicKey,
    privateKey,
    get: (key, path) => http().get(path).set(as(key)),
    post: (key, path, body = {}) => http().post(path).set(as(key)).send(body),
    put: (key, path, body) => http().put(path).set(as(key)).send(body),
    patch: (key, path, body) => http().patch(path).set(as(key)).send(body),
    dispatcherHasLooked() {
      const before = new Map(turns);
      return eventually(() => {
        for (const [message, times] of turns) expect(times, message).toBeGreaterThan((before.get(message) ?? 0) + 2);
        return Promise.resolve();
      });
    },
    async makeKey({ role, tenant = 'default', principal = randomUUID(), expiresInMs = 3_600_000, revoked = false }) {
      const key = generateApiKey();
      const whose = role === 'operator' ? null : tenant;
      await owner.query(
        `INSERT INTO principal (tenant, kind, name) VALUES ($1, 'service', $2) ON CONFLICT (tenant, name) DO NOTHING`,
        [whose, principal],
      );
      await owner.query(
        `INSERT INTO api_key (principal_id, name, role, sha256, expires_at, revoked_at)
         SELECT id, 'test', $3, $4, $5, $6 FROM principal WHERE tenant IS NOT DISTINCT FROM $1 AND name = $2`,
        [whose, principal, role, hashApiKey(key), new Date(Date.now() + expiresInMs), revoked ? new Date() : null],
      );
      return key;
    },
    async restart(changes = {}) {
      variables = { ...variables, ...changes };
      await close();
      running = await start();
    },
    pause,
    async stop() {
      if (!isPaused) await pause();
      await database.drop();
      await rm(directory, { recursive: true });
    },
  };
}
