/** A Redis of the operator's own: started again without its users, or one that lets nobody make users. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { ByDigest, queueConnection, queueName, redisUserName } from '#lib/queue';
import { Worker } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/services/free-port.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';

const PASSWORD = 'of-this-node-alone';
let port: number;
let server: ChildProcess | undefined;
let stopAll: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  port = await freePort(undefined);
});
afterEach(async () => {
  for (const stop of stopAll.reverse()) await stop();
  stopAll = [];
});
afterAll(() => kill());

/** Keeps nothing. */
async function start(...settings: string[]): Promise<void> {
  server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', ...settings], {
    stdio: 'pipe',
  });
  await new Promise<void>((resolve) => {
    server?.stdout?.on('data', (text: Buffer) => {
      if (text.includes('Ready to accept connections')) resolve();
    });
  });
}
async function kill(): Promise<void> {
  if (!server || server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGKILL');
  await ended;
}

async function startApi(): Promise<TestApi> {
  const api = await startTestApi({ PORIN_REDIS_URL: `redis://127.0.0.1:${port}` });
  stopAll.push(() => api.stop());
  return api;
}

/** Takes the node's messages as a worker process does, and claims nothing. */
function consume(nodeId: string, credentials: string): string[] {
  const seen: string[] = [];
  const redis = new ByDigest(queueConnection(`redis://${credentials}127.0.0.1:${port}`, { failFast: false }));
  const worker = new Worker<{ jobId: string }>(
    queueName(nodeId),
    (message) => Promise.resolve(void seen.push(message.data.jobId)),
    { connection: redis },
  );
  worker.on('error', () => undefined);
  stopAll.push(async () => {
    await worker.close();
    redis.disconnect();
  });
  return seen;
}

async function submitTo(api: TestApi): Promise<string> {
  const key = await api.makeKey({ role: 'admin' });
  const body = { executors: [{ image: 'debian:bookworm', command: ['true'] }] };
  return ((await api.post(key, '/api/v1/jobs', body).expect(201)).body as { id: string }).id;
}

describe('a Redis that is started again and has forgotten its users', () => {
  it('gets them back by itself, and messages reach the node again', async () => {
    await start();
    const api = await startApi();
    const node = await api.worker.addNode({ slots: 9 });
    await api.owner.query('UPDATE node SET redis_password_sha256 = $2 WHERE id = $1', [
      node,
      createHash('sha256').update(PASSWORD).digest('hex'),
    ]);
    const seen = consume(node, `${redisUserName(node)}:${PASSWORD}@`);
    const before = await submitTo(api);
    await eventually(() => Promise.resolve(expect(seen).toContain(before)));
    await kill();
    await start();
    const after = await submitTo(api);
    await eventually(() => Promise.resolve(expect(seen).toContain(after)));
  });
});

describe('a Redis that lets nobody make users', () => {
  it('serves the nodes that have no user of their own', async () => {
    await kill();
    await start('--rename-command', 'ACL', '');
    const api = await startApi();
    const [shared, own] = [await api.worker.addNode({ slots: 9 }), await api.worker.addNode({ slots: 1 })];
    await api.owner.query(
      `UPDATE node SET redis_password_sha256 = repeat('ab', 32), state = 'DRAINING' WHERE id = $1`,
      [own],
    );
    const seen = consume(shared, '');
    const id = await submitTo(api);
    await eventually(() => Promise.resolve(expect(seen).toContain(id)));
  });
});
