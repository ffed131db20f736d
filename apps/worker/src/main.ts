/** Starts the worker of this node, and ends it where the database is no longer the one that it was made for. */
import 'reflect-metadata';
import { type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ConfigError,
  endOnUncaughtErrors,
  EXIT_CODES,
  loadWorkerConfig,
  logDestination,
  type WorkerConfig,
} from '#lib/config';
import { SchemaError, schemaMismatch } from '#lib/database';
import { type Logger, pino } from 'pino';
import { NodeRefusedError } from './node/self-check/node-problem.js';
import { WorkerLifecycle, WorkerModule } from './worker.module.js';

async function start(config: WorkerConfig): Promise<void> {
  const logger = pino({ level: config.PORIN_LOG_LEVEL }, logDestination());
  endOnUncaughtErrors(logger);
  const app = await NestFactory.createApplicationContext(WorkerModule.register(config, logger), {
    logger: ['error', 'warn'],
    abortOnError: false,
  });
  app.enableShutdownHooks();
  void endOnOtherSchema(app, logger);
}

/** In order: payloads that run may end within PORIN_DRAIN_MS. */
async function endOnOtherSchema(app: INestApplicationContext, logger: Logger): Promise<void> {
  const worker = app.get(WorkerLifecycle);
  const mismatch = await schemaMismatch(() => worker.checkSchema(), new AbortController().signal);
  logger.fatal({ code: mismatch?.code, err: mismatch?.message }, 'the worker drains and ends');
  await app.close().catch((error: unknown) => logger.error({ err: error }, 'the worker could not end in order'));
  process.exit(EXIT_CODES.otherSchema);
}

try {
  await start(loadWorkerConfig(process.env));
} catch (error) {
  const expected = [ConfigError, SchemaError, NodeRefusedError].some((known) => error instanceof known);
  console.error(expected ? (error as Error).message : error);
  process.exit(error instanceof SchemaError ? EXIT_CODES.otherSchema : EXIT_CODES.failed);
}
