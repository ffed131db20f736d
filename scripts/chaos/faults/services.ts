/** Faults of Postgres and Redis. */
import { Redis } from 'ioredis';
import { Connection } from '#lib/database';
import { type Grid } from '../grid.js';
import { childrenOf, freeze, signal, treeOf } from '../processes.js';
import { type Fault, type Heal, nothingToHeal } from './fault.js';

const REDIS_ANSWERS_WITHIN_MS = 10_000;

/** @throws Error where Redis does not carry it out */
async function tellRedis(grid: Grid, ...command: readonly [string, ...string[]]): Promise<void> {
  const client = new Redis(grid.services.redis.url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: REDIS_ANSWERS_WITHIN_MS,
    commandTimeout: REDIS_ANSWERS_WITHIN_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const [name, ...args] = command;
    await client.call(name, ...args);
  } finally {
    client.disconnect();
  }
}

const redisSetting = (
  name: string,
  begin: readonly [string, ...string[]],
  end: readonly [string, ...string[]],
): Fault => ({
  name,
  parts: ['redis'],
  lastsS: [8, 20],
  async strike(grid) {
    await tellRedis(grid, ...begin);
    return () => tellRedis(grid, ...end);
  },
});

/** As a superuser, on a connection that the statement may end. */
async function tellPostgres(grid: Grid, sql: string): Promise<void> {
  const client = new Connection({ connectionString: grid.services.postgres.url });
  await client.connect();
  await client.query(sql).catch(() => undefined);
  await client.end().catch(() => undefined);
}

const postgresFault = (name: string, lastsS: Fault['lastsS'], strike: (grid: Grid) => Promise<Heal> | Heal): Fault => ({
  ...{ name, lastsS, strike },
  parts: ['postgres'],
});

export const SERVICE_FAULTS: readonly Fault[] = [
  {
    name: 'Redis killed',
    parts: ['redis'],
    lastsS: [1, 3],
    strike(grid) {
      grid.services.redis.kill();
      return nothingToHeal;
    },
  },
  {
    name: 'Redis frozen',
    parts: ['redis'],
    lastsS: [8, 20],
    strike: (grid) => freeze([grid.services.redis.pid]),
  },
  {
    name: 'Redis wiped',
    parts: ['redis'],
    lastsS: [1, 3],
    async strike(grid) {
      await tellRedis(grid, 'FLUSHALL');
      return nothingToHeal;
    },
  },
  redisSetting('Redis full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']),
  redisSetting('Redis read-only', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']),
  postgresFault('Postgres killed', [1, 3], (grid) => {
    grid.services.postgres.kill();
    return nothingToHeal;
  }),
  postgresFault('Postgres backend killed', [1, 3], (grid) => {
    const backends = childrenOf(grid.services.postgres.pid);
    // Postgres then ends all others, and recovers as after a crash.
    signal(backends.slice(-1), 'SIGKILL');
    return nothingToHeal;
  }),
  postgresFault('Postgres restarted', [1, 3], (grid) => {
    signal([grid.services.postgres.pid], 'SIGINT');
    return nothingToHeal;
  }),
  postgresFault('Postgres frozen', [8, 20], (grid) => freeze(treeOf(grid.services.postgres.pid))),
  postgresFault('Postgres connections cut', [1, 3], async (grid) => {
    const others = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`;
    await tellPostgres(grid, others);
    return nothingToHeal;
  }),
  postgresFault('Postgres disk full', [10, 25], (grid) => {
    grid.postgresDisk.fill();
    return () => grid.postgresDisk.empty();
  }),
];
