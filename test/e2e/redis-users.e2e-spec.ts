/** A node's own user in Redis: its queue works with it, and nothing else does. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { messageId, MESSAGE_OPTIONS, queueConnection, queueName, redisUserName } from '#lib/queue';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Grid, type TestWorker } from '../support/grid.js';

let grid: Grid;
let admin: Redis;
let workers: TestWorker[] = [];
let clients: Redis[] = [];

beforeAll(async () => {
  grid = await Grid.start();
  admin = new Redis(grid.redisUrl);
});
afterEach(async () => {
  for (const client of clients) client.disconnect();
  for (const worker of workers) await worker.stop();
  [clients, workers] = [[], []];
});
afterAll(async () => {
  const names = await admin.acl('USERS');
  for (const name of names.filter((one) => one !== 'default')) await admin.acl('DELUSER', name);
  admin.disconnect();
  await grid.stop();
});

/** Makes the node's row and its password, as `porin-admin node add` does. */
async function addNode(name: string): Promise<{ id: string; password: string }> {
  const { rows } = await grid.api.owner.query<{ id: string }>(
    `INSERT INTO node (name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts)
     VALUES ($1, 'x86_64', 'GONE', 1, 1, 1, 1, '{}', '{}')
     ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`,
    [name],
  );
  const id = rows[0]?.id ?? '';
  return { id, password: await setPassword(id) };
}

async function setPassword(nodeId: string): Promise<string> {
  const password = randomBytes(16).toString('hex');
  const hash = createHash('sha256').update(password).digest('hex');
  await grid.api.owner.query('UPDATE node SET redis_password_sha256 = $2 WHERE id = $1', [nodeId, hash]);
  return password;
}

function urlOf(nodeId: string, password: string): string {
  const url = new URL(grid.redisUrl);
  url.username = redisUserName(nodeId);
  url.password = password;
  return url.href;
}

/** As somebody who has taken the node's password. */
function connect(nodeId: string, password: string): Redis {
  const client = new Redis(urlOf(nodeId, password), { retryStrategy: (times) => Math.min(times * 100, 500) });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

async function startWorker(name: string): Promise<{ id: string; worker: TestWorker }> {
  const worker = await grid.startWorker(name, { PORIN_SLOTS: '2', PORIN_CPU_MILLI: '2000' });
  workers.push(worker);
  return { id: await grid.nodeId(name), worker };
}

async function runJobs(): Promise<void> {
  const ids = await Promise.all(Array.from({ length: 4 }, () => grid.submit('true')));
  for (const id of ids) expect(await grid.waitFor(id, 'COMPLETE')).toMatchObject({ attempts: [{ state: 'COMPLETE' }] });
}

/** Everything that Redis forgets when it is started anew without a file of users. */
async function restartRedis(): Promise<void> {
  const names = await admin.acl('USERS');
  await admin.flushall();
  await admin.script('FLUSH');
  for (const name of names.filter((one) => one !== 'default')) await admin.acl('DELUSER', name);
}

describe('a worker with a user of its own', () => {
  it('runs jobs, and is refused nothing that it asks for', async () => {
    await admin.acl('LOG', 'RESET');
    await startWorker('own-user');
    await runJobs();
    const refusals = (await admin.acl('LOG')) as unknown[][];
    expect(refusals.filter((entry) => entry.includes('command') || entry.includes('key'))).toEqual([]);
  });

  it('goes on after Redis has lost its data, its scripts and its users', async () => {
    const { id } = await startWorker('own-user-again');
    await runJobs();
    await restartRedis();
    await eventually(async () => expect(await admin.acl('USERS')).toContain(redisUserName(id)));
    await runJobs();
  });
});

describe('the password of a node', () => {
  it('opens nothing but the queue of this node', async () => {
    const [mine, other] = [await addNode('mine'), await addNode('other')];
    const own = `bull:${queueName(mine.id)}:`;
    const client = connect(mine.id, mine.password);
    await eventually(async () => expect(await client.ping()).toBe('PONG'));
    expect(await client.hset(`${own}meta`, 'x', '1')).toBe(1);
    const elsewhere = [
      `bull:${queueName(other.id)}:wait`,
      'bull:porin-jobs-:wait',
      'bull:porin-jobs-x86_64:wait',
      'anything',
    ];
    for (const key of elsewhere) {
      for (const command of [
        ['LLEN', key],
        ['DEL', key],
        ['LPUSH', key, 'x'],
        ['RPOPLPUSH', `${own}wait`, key],
        ['EXISTS', key],
      ]) {
        const [name = '', ...values] = command;
        await expect(client.call(name, ...values), command.join(' ')).rejects.toThrow('NOPERM');
      }
    }
    const commands = [
      ['FLUSHALL'],
      ['FLUSHDB'],
      ['KEYS', '*'],
      ['SCAN', '0'],
      ['RANDOMKEY'],
      ['DBSIZE'],
      ['SWAPDB', '0', '7'],
      ['CONFIG', 'GET', '*'],
      ['ACL', 'LIST'],
      ['ACL', 'WHOAMI'],
      ['ACL', 'SETUSER', 'default', 'nopass'],
      ['SCRIPT', 'FLUSH'],
      ['SCRIPT', 'LOAD', 'return 1'],
      ['SCRIPT', 'KILL'],
      ['EVAL', 'while true do end', '0'],
      ['FUNCTION', 'LIST'],
      ['FCALL', 'f', '0'],
      ['CLIENT', 'LIST'],
      ['CLIENT', 'KILL', 'ID', '1'],
      ['CLIENT', 'PAUSE', '100000'],
      ['MONITOR'],
      ['SHUTDOWN', 'NOSAVE'],
      ['SAVE'],
      ['BGREWRITEAOF'],
      ['REPLICAOF', 'NO', 'ONE'],
      ['MIGRATE', 'h', '1', 'k', '0', '1'],
      ['SUBSCRIBE', 'c'],
      ['PSUBSCRIBE', '*'],
      ['PUBLISH', 'c', 'x'],
      ['MODULE', 'LIST'],
      ['SLOWLOG', 'GET'],
      ['LATENCY', 'RESET'],
      ['OBJECT', 'ENCODING', `${own}meta`],
      ['DUMP', `${own}meta`],
      ['SORT', `${own}wait`],
      ['BLPOP', `${own}wait`, '0'],
      ['MULTI'],
      ['WAIT', '1', '0'],
    ];
    for (const [name = '', ...values] of commands) {
      await expect(client.call(name, ...values), name).rejects.toThrow('NOPERM');
    }
  });

  it('lets nobody reach beyond it by a script that is loaded', async () => {
    const [mine, other] = [await addNode('mine'), await addNode('other')];
    await eventually(async () => expect(await admin.acl('USERS')).toContain(redisUserName(mine.id)));
    const reach = (await admin.script('LOAD', "return redis.call('DEL', ARGV[1])")) as string;
    const client = connect(mine.id, mine.password);
    await eventually(async () => expect(await client.ping()).toBe('PONG'));
    await expect(client.evalsha(reach, 0, `bull:${queueName(other.id)}:wait`)).rejects.toThrow(
      "can't access at least one of the keys",
    );
  });

  it('does not start a job by a message of the thief’s own', async () => {
    const { id, worker } = await startWorker('own-user');
    const { rows } = await grid.api.owner.query<{ id: string }>(`SELECT id FROM node WHERE name = 'own-user'`);
    expect(rows[0]?.id).toBe(id);
    const message = { jobId: randomUUID(), attempt: 1 };
    const queue = new Queue(queueName(id), { connection: queueConnection(grid.redisUrl, { failFast: false }) });
    await queue.add('attempt', message, { ...MESSAGE_OPTIONS, jobId: messageId(message) });
    await eventually(() => {
      expect(worker.log).toContain('there is nothing to claim');
      return Promise.resolve();
    });
    await queue.close();
  });

  it('is replaced at once, and whoever holds the old one is thrown out', async () => {
    const { id, password } = await addNode('rekeyed');
    const client = connect(id, password);
    await eventually(async () => expect(await client.ping()).toBe('PONG'));
    const next = await setPassword(id);
    await eventually(async () => {
      await expect(client.ping()).rejects.toThrow();
    });
    const successor = connect(id, next);
    await eventually(async () => expect(await successor.ping()).toBe('PONG'));
    await grid.api.owner.query('UPDATE node SET redis_password_sha256 = NULL WHERE id = $1', [id]);
    await eventually(async () => expect(await admin.acl('USERS')).not.toContain(redisUserName(id)));
  });

  it('is replaced too where Redis refuses to end connections by name', async () => {
    const url = Object.assign(new URL(grid.redisUrl), { username: 'no-kill', password: 'of-the-api' });
    await admin.acl('SETUSER', 'no-kill', 'on', '>of-the-api', '~*', '&*', '+@all', '-client|kill');
    await grid.api.restart({ PORIN_REDIS_URL: url.href });
    const { id, password } = await addNode('rekeyed-again');
    const client = connect(id, password);
    await eventually(async () => expect(await client.ping()).toBe('PONG'));
    await setPassword(id);
    await eventually(async () => {
      await expect(client.ping()).rejects.toThrow();
    });
    await grid.api.restart({ PORIN_REDIS_URL: grid.redisUrl });
  });
});
