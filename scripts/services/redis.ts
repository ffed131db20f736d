/** A private Redis on loopback: password, append-only file, no eviction. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type DaemonRecord, isOurs, startDaemon, stopDaemon, waitUntilUp } from './daemon.js';
import { freePort } from './free-port.js';
import { type Instance } from './instance.js';
import { type ServiceState } from './state.js';

const START_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 15_000;

export async function startRedis(instance: Instance): Promise<ServiceState> {
  const directory = join(instance.directory, 'redis');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const pidFile = join(directory, 'redis.pid');
  const configFile = join(directory, 'redis.conf');
  const logFile = join(instance.logDirectory, 'redis.log');
  if (existsSync(pidFile)) {
    const orphan = { pid: Number(readFileSync(pidFile, 'utf8')), mark: configFile };
    if (isOurs(orphan)) await stopRedis(orphan);
  }
  const port = await freePort();
  const password = randomBytes(24).toString('hex');
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir "${directory}"`,
    `pidfile "${pidFile}"`,
    'appendonly yes',
    'maxmemory-policy noeviction',
    // Redis writes its listening address over its command line, which would hide the mark we know it by.
    `proc-title-template "redis-server ${configFile}"`,
  ];
  writeFileSync(configFile, `${lines.join('\n')}\n`, { mode: 0o600 });
  const record = startDaemon({ command: 'redis-server', args: [configFile], mark: configFile, logFile });
  writeFileSync(pidFile, String(record.pid));
  const url = `redis://:${password}@127.0.0.1:${port}`;
  await waitUntilUp('Redis', { record, logFile, timeoutMs: START_TIMEOUT_MS, probe: () => answers(url) });
  return { url, process: record };
}

export async function stopRedis(record: DaemonRecord): Promise<void> {
  await stopDaemon(record, STOP_GRACE_MS);
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } finally {
    client.disconnect();
  }
}
