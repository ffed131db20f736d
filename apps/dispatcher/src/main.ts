/** Starts a dispatcher, and ends it where the database is no longer the one that it was made for. */
import 'reflect-metadata';
import { utimes, writeFile } from 'node:fs/promises';
import {
  ConfigError,
  type DispatcherConfig,
  endOnUncaughtErrors,
  EXIT_CODES,
  loadApprovalKeys,
  loadDispatcherConfig,
  logDestination,
} from '#lib/config';
import { SchemaError, schemaMismatch } from '#lib/database';
import { type Logger, pino } from 'pino';
import { openDispatcher, type OpenDispatcher } from './open-dispatcher.js';

/** What it was doing may hang; the program must still end with its exit code. */
const CLOSE_TIMEOUT_MS = 20_000;

async function start(config: DispatcherConfig): Promise<void> {
  const logger = pino({ level: config.PORIN_LOG_LEVEL, redact: ['password'] }, logDestination());
  endOnUncaughtErrors(logger);
  const opened = await openDispatcher(config, loadApprovalKeys(config), logger, heartbeat(config, logger));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end(opened, logger, 0));
  void endOnOtherSchema(opened, logger);
}

/** Touches the file that a health check looks at. */
function heartbeat({ PORIN_DISPATCHER_HEARTBEAT_FILE: path }: DispatcherConfig, logger: Logger): () => void {
  if (path === undefined) return () => undefined;
  return () => {
    const now = new Date();
    utimes(path, now, now)
      .catch(() => writeFile(path, ''))
      .catch((error: unknown) => logger.warn({ err: error }, 'the heartbeat file cannot be written'));
  };
}

async function endOnOtherSchema(opened: OpenDispatcher, logger: Logger): Promise<void> {
  const mismatch = await schemaMismatch(() => opened.checkSchema(), new AbortController().signal);
  logger.fatal({ code: mismatch?.code, err: mismatch?.message }, 'the dispatcher ends');
  await end(opened, logger, EXIT_CODES.otherSchema);
}

async function end(opened: OpenDispatcher, logger: Logger, code: number): Promise<void> {
  setTimeout(() => process.exit(code), CLOSE_TIMEOUT_MS).unref();
  await opened.close().catch((error: unknown) => logger.error({ err: error }, 'the dispatcher could not end in order'));
  process.exit(code);
}

try {
  await start(loadDispatcherConfig(process.env));
} catch (error) {
  console.error(error instanceof ConfigError || error instanceof SchemaError ? error.message : error);
  process.exit(error instanceof SchemaError ? EXIT_CODES.otherSchema : EXIT_CODES.failed);
}
