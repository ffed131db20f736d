/** Opens a dispatcher with its connections: for main.ts and for the tests alike. */
import { type DispatcherConfig, readSecretKeys } from '#lib/config';
import { checkSchema, makeDataSource } from '#lib/database';
import { type ApprovalKeys } from '#lib/profiles';
import { type Logger } from 'pino';
import { Dispatcher } from './dispatcher.js';

export interface OpenDispatcher {
  /** Throws SchemaError. */
  checkSchema(): Promise<void>;
  close(): Promise<void>;
}

/** A frozen dispatcher must not hold up the one that takes its place. */
const IDLE_IN_TRANSACTION_MS = 10_000;

/** Whoever holds a row for longer, such as a stolen node its own, holds up no other duty. */
const LOCK_TIMEOUT_MS = 3_000;

/** Throws ConfigError for bad keys of secrets, and SchemaError when the database is newer or older than this program. */
export async function openDispatcher(
  config: DispatcherConfig,
  keys: ApprovalKeys,
  logger: Logger,
  onAlive?: () => void,
): Promise<OpenDispatcher> {
  if (config.PORIN_SECRETS_KEY_FILE !== undefined) readSecretKeys(config.PORIN_SECRETS_KEY_FILE);
  const dataSource = makeDataSource({
    url: config.PORIN_DATABASE_URL,
    applicationName: 'porin-dispatcher',
    idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
    lockTimeoutMs: LOCK_TIMEOUT_MS,
  });
  await dataSource.initialize();
  const check = () => checkSchema((sql) => dataSource.query(sql));
  try {
    await check();
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
  const dispatcher = new Dispatcher(dataSource, config, keys, logger, onAlive);
  dispatcher.start();
  return {
    checkSchema: check,
    async close() {
      await dispatcher.stop();
      await dataSource.destroy();
    },
  };
}
