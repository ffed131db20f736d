/** The real API on a fresh database and the real Redis, and keys for it. */
import 'reflect-metadata';
import { loadApiConfig } from '#lib/config';
import { type NestExpressApplication } from '@nestjs/platform-express';
import pg from 'pg';
import { pino } from 'pino';
import { generateApiKey, hashApiKey } from '../../apps/api/src/auth/api-key.js';
import { createApp } from '../../apps/api/src/create-app.js';
import { makeTestDatabase, type TestDatabase } from './database.js';
import { required } from './environment.js';

export interface TestApi {
  readonly app: NestExpressApplication;
  readonly database: TestDatabase;
  readonly owner: pg.Client;
  makeKey(options: { role: string; tenant?: string; expiresInMs?: number; revoked?: boolean }): Promise<string>;
  stop(): Promise<void>;
}

export async function startTestApi(settings: Record<string, string> = {}): Promise<TestApi> {
  const database = await makeTestDatabase();
  const config = loadApiConfig({
    PORIN_DATABASE_URL: database.apiUrl,
    PORIN_REDIS_URL: required('PORIN_TEST_REDIS_URL'),
    PORIN_SIGNING_KEY_FILE: '/nonexistent',
    ...settings,
  });
  const app = await createApp(config, pino({ level: 'silent' }));
  await app.init();
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  return {
    app,
    database,
    owner,
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
      await database.drop();
    },
  };
}
