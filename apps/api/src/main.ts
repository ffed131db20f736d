/** Starts the API. */
import 'reflect-metadata';
import { type ApiConfig, ConfigError, loadApiConfig } from '#lib/config';
import { pino } from 'pino';
import { createApp } from './create-app.js';

async function start(config: ApiConfig): Promise<void> {
  const logger = pino({ level: config.PORIN_LOG_LEVEL, redact: ['req.headers.authorization', 'password'] });
  const app = await createApp(config, logger);
  app.enableShutdownHooks();
  await app.listen(config.PORIN_PORT, config.PORIN_HOST);
  logger.info({ url: await app.getUrl() }, 'the API listens');
}

try {
  await start(loadApiConfig(process.env));
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
}
