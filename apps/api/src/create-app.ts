/** Makes the HTTP application: for main.ts and for the tests alike. */
import { type RequestListener } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type ApiConfig, loadApprovalKeys, readSecretKeys } from '#lib/config';
import { checkSchema } from '#lib/database';
import { type Logger } from 'pino';
import { DataSource } from 'typeorm';
import { AppModule, CONTROLLERS } from './app.module.js';
import { Authenticator } from './auth/authenticate.js';
import { DispatcherBell } from './dispatch/dispatcher-bell.js';
import { BodyMemory } from './http/body-memory.js';
import { corsHook } from './http/cors.js';
import { Gate } from './http/gate.js';
import { RateLimits } from './http/rate-limits.js';
import { RouteTable } from './http/route-table.js';
import { securityHeaders } from './http/security-headers.js';
import { answerClientError, boundedServer } from './http/server-bounds.js';
import { serveDocuments } from './openapi/document.js';

/** Throws ConfigError for a bad signing key or keys of secrets, and SchemaError when the database is newer or older than this program. */
export async function createApp(config: ApiConfig, logger: Logger): Promise<NestFastifyApplication> {
  const approvalKeys = loadApprovalKeys(config);
  if (config.PORIN_SECRETS_KEY_FILE !== undefined) readSecretKeys(config.PORIN_SECRETS_KEY_FILE);
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(config, logger, approvalKeys),
    adapterFor(config),
    { bodyParser: false, logger: ['error', 'warn'], abortOnError: false },
  );
  const dataSource = app.get(DataSource);
  const gate = new Gate({
    routes: RouteTable.of(CONTROLLERS),
    authenticator: app.get(Authenticator),
    limits: app.get(RateLimits),
    bodies: new BodyMemory(config.PORIN_BODY_LIMIT_BYTES),
    bodyLimitBytes: config.PORIN_BODY_LIMIT_BYTES,
  });
  const http = app.getHttpAdapter().getInstance();
  // The gate has read the body.
  http.removeAllContentTypeParsers();
  http.addHook('onRequest', securityHeaders);
  if (config.PORIN_CORS_ORIGINS.length > 0) http.addHook('onRequest', corsHook(config.PORIN_CORS_ORIGINS));
  http.addHook('onRequest', gate.hook);
  http.addHook('onSend', app.get(DispatcherBell).hook);
  await serveDocuments(app);
  try {
    await checkSchema((sql) => dataSource.query(sql));
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

/** Longer than any target that Node reads: how long a parameter may be is for its schema to say. */
const MAX_PARAM_LENGTH = 64 * 1024;

function adapterFor(config: ApiConfig): FastifyAdapter {
  return new FastifyAdapter({
    serverFactory: (handle: RequestListener) => boundedServer(handle, config.PORIN_REQUEST_TIMEOUT_MS),
    clientErrorHandler: answerClientError,
    trustProxy: config.PORIN_TRUSTED_PROXIES,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // What is under way when the API ends is answered as ever.
    return503OnClosing: false,
    skipMiddie: true,
  });
}
