/** A private Redis on loopback: password, append-only file, no eviction. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startDaemon, stopDaemon, waitUntilUp } from './daemon.js';
import { freePort } from './free-port.js';
import { daemonPlace, type Instance } from './instance.js';
import { password } from './secret.js';
import { type PrivateService } from './service.js';

const START_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 15_000;

export const redis: PrivateService = {
  title: 'Redis',
  variable: 'PORIN_REDIS_URL',
  place,
  start,
  answers,
  stop: (record) => stopDaemon(record, STOP_GRACE_MS),
};

function place(instance: Instance) {
  return daemonPlace(instance, 'redis', configFile(instance));
}

function configFile(instance: Instance): string {
  return join(instance.directory, 'redis', 'redis.conf');
}

async function start(instance: Instance, lastPort: number | undefined): Promise<string> {
  const directory = join(instance.directory, 'redis');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const port = await freePort(lastPort);
  const config = configFile(instance);
  // A file, because an argument could be read by everybody.
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password(instance, 'redis')}`,
    `dir ${JSON.stringify(directory)}`,
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
    // Redis writes its listening address over its command line, which would hide the mark we know it by.
    `proc-title-template ${JSON.stringify(`redis-server ${config}`)}`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o600 });
  const url = `redis://:${password(instance, 'redis')}@127.0.0.1:${port}`;
  const where = place(instance);
  const record = startDaemon(where, ['redis-server', config]);
  await waitUntilUp('Redis', {
    record,
    logFile: where.logFile,
    timeoutMs: START_TIMEOUT_MS,
    probe: () => answers(url),
  });
  return url;
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
