/** /health/ready while Redis answers and takes no writes. */
import { Redis } from 'ioredis';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { required } from '../support/environment.js';
import { eventually } from '../support/eventually.js';

let api: TestApi;
let redis: Redis;
beforeAll(async () => {
  redis = new Redis(required('PORIN_TEST_REDIS_URL'));
  api = await startTestApi();
});
afterAll(async () => {
  await api.stop();
  redis.disconnect();
});

const ready = async () => {
  const { status, body } = await supertest(api.app.getHttpServer()).get('/health/ready');
  return [status, body as object];
};

describe('a Redis that takes no writes', () => {
  it.each([
    ['is full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
    [
      'has too few replicas',
      ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
      ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
    ],
    ['has become a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
  ])('is down where it %s', async (_why, [command = '', ...words], [undo = '', ...undoWords]) => {
    await eventually(async () =>
      expect(await ready()).toEqual([200, { status: 'up', postgres: 'up', redis: 'up', dispatcher: 'up' }]),
    );
    await redis.call(command, ...words);
    try {
      await expect(redis.ping()).resolves.toBe('PONG');
      await eventually(async () =>
        expect(await ready()).toEqual([503, { status: 'down', postgres: 'up', redis: 'down', dispatcher: 'up' }]),
      );
    } finally {
      await redis.call(undo, ...undoWords);
    }
    await eventually(async () =>
      expect(await ready()).toEqual([200, { status: 'up', postgres: 'up', redis: 'up', dispatcher: 'up' }]),
    );
  });

  it('is asked once for all who ask at the same time', async () => {
    const { rows: before } = await api.owner.query<{ calls: string }>(
      'SELECT xact_commit AS calls FROM pg_stat_database WHERE datname = current_database()',
    );
    const answers = await Promise.all(Array.from({ length: 200 }, ready));
    expect(new Set(answers.map(([status]) => status))).toEqual(new Set([200]));
    await api.owner.query('SELECT pg_stat_clear_snapshot()');
    const { rows: after } = await api.owner.query<{ calls: string }>(
      'SELECT xact_commit AS calls FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(Number(after[0]?.calls) - Number(before[0]?.calls)).toBeLessThan(100);
  });
});
