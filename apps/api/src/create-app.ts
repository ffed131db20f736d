/** Makes the HTTP application: for main.ts and for the tests alike. */
import { NestFactory } from '@nestjs/core';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { type ApiConfig, loadApprovalKeys } from '#lib/config';
import { checkSchema } from '#lib/database';
import { type Logger } from 'pino';
import { DataSource } from 'typeorm';
import { AppModule, CONTROLLERS } from './app.module.js';
import { Authenticator } from './auth/authenticate.js';
import { DispatcherBell } from './dispatch/dispatcher-bell.js';
import { BodyMemory } from './http/body-memory.js';
import { handleBeforeExpress } from './http/before-express.js';
import { Gate } from './http/gate.js';
import { RateLimits } from './http/rate-limits.js';
import { RouteTable } from './http/route-table.js';
import { securityHeaders } from './http/security-headers.js';
import { boundServer } from './http/server-bounds.js';
import { serveDocuments } from './openapi/document.js';

/** Throws ConfigError for a bad signing key, and SchemaError when the database is newer or older than this program. */
export async function createApp(config: ApiConfig, logger: Logger): Promise<NestExpressApplication> {
  const approvalKeys = loadApprovalKeys(config);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.register(config, logger, approvalKeys), {
    bodyParser: false,
    logger: ['error', 'warn'],
    abortOnError: false,
  });
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('trust proxy', config.PORIN_TRUSTED_PROXIES);
  app.use(securityHeaders);
  const dataSource = app.get(DataSource);
  const gate = new Gate({
    routes: RouteTable.of(CONTROLLERS),
    authenticator: app.get(Authenticator),
    limits: app.get(RateLimits),
    bodies: new BodyMemory(config.PORIN_BODY_LIMIT_BYTES),
    bodyLimitBytes: config.PORIN_BODY_LIMIT_BYTES,
  });
  app.use(gate.middleware);
  app.use(app.get(DispatcherBell).middleware);
  handleBeforeExpress(app.getHttpServer());
  boundServer(app.getHttpServer(), config.PORIN_REQUEST_TIMEOUT_MS);
  serveDocuments(app);
  try {
    await checkSchema((sql) => dataSource.query(sql));
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}
