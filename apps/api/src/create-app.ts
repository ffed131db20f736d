/** Makes the HTTP application: for main.ts and for the tests alike. */
import { NestFactory } from '@nestjs/core';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { type ApiConfig } from '#lib/config';
import { checkSchema } from '#lib/database';
import { type Logger } from 'pino';
import { DataSource } from 'typeorm';
import { AppModule } from './app.module.js';
import { securityHeaders } from './http/security-headers.js';
import { serveDocument } from './openapi/document.js';
import { loadApprovalKeys } from './profiles/signing-key.js';

/** Throws ConfigError for a bad signing key, and SchemaError when the database is newer or older than this program. */
export async function createApp(config: ApiConfig, logger: Logger): Promise<NestExpressApplication> {
  const approvalKeys = loadApprovalKeys(config);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.register(config, logger, approvalKeys), {
    bodyParser: false,
    logger: ['error', 'warn'],
    abortOnError: false,
  });
  app.useBodyParser('json', { limit: config.PORIN_BODY_LIMIT_BYTES });
  app.disable('x-powered-by');
  app.use(securityHeaders);
  serveDocument(app);
  const dataSource = app.get(DataSource);
  try {
    await checkSchema((sql) => dataSource.query(sql));
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}
