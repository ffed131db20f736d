/** Starts the worker of this node. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ConfigError, loadWorkerConfig, type WorkerConfig } from '#lib/config';
import { pino } from 'pino';
import { WorkerModule } from './worker.module.js';

async function start(config: WorkerConfig): Promise<void> {
  const app = await NestFactory.createApplicationContext(
    WorkerModule.register(config, pino({ level: config.PORIN_LOG_LEVEL })),
    { logger: ['error', 'warn'], abortOnError: false },
  );
  app.enableShutdownHooks();
}

try {
  await start(loadWorkerConfig(process.env));
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
}
