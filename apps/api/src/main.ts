/** Starts the API, and ends it where the database is no longer the one that it was made for. */
import 'reflect-metadata';
import {
  type ApiConfig,
  ConfigError,
  endOnUncaughtErrors,
  EXIT_CODES,
  loadApiConfig,
  logDestination,
} from '#lib/config';
import { checkSchema, SchemaError, schemaMismatch } from '#lib/database';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Logger, pino } from 'pino';
import { DataSource } from 'typeorm';
import { createApp } from './create-app.js';

/** Open connections may hang after this time; the program must still end with its exit code. */
const CLOSE_TIMEOUT_MS = 20_000;

async function start(config: ApiConfig): Promise<void> {
  const logger = pino(
    { level: config.PORIN_LOG_LEVEL, redact: ['req.headers.authorization', 'password'] },
    logDestination(),
  );
  endOnUncaughtErrors(logger);
  const app = await createApp(config, logger);
  app.enableShutdownHooks();
  await app.listen(config.PORIN_PORT, config.PORIN_HOST);
  logger.info({ url: await app.getUrl() }, 'the API listens');
  void endOnOtherSchema(app, logger);
}

async function endOnOtherSchema(app: NestFastifyApplication, logger: Logger): Promise<void> {
  const dataSource = app.get(DataSource);
  const mismatch = await schemaMismatch(
    () => checkSchema((sql) => dataSource.query(sql)),
    new AbortController().signal,
  );
  logger.fatal({ code: mismatch?.code, err: mismatch?.message }, 'the API ends');
  setTimeout(() => process.exit(EXIT_CODES.otherSchema), CLOSE_TIMEOUT_MS).unref();
  await app.close().catch((error: unknown) => logger.error({ err: error }, 'the API could not end in order'));
  process.exit(EXIT_CODES.otherSchema);
}

try {
  await start(loadApiConfig(process.env));
} catch (error) {
  console.error(error instanceof ConfigError || error instanceof SchemaError ? error.message : error);
  // Not by `exitCode` alone: connections that are open already would keep this process.
  process.exit(error instanceof SchemaError ? EXIT_CODES.otherSchema : EXIT_CODES.failed);
}
