/** A worker that is told to end does end, whatever its jobs and Redis are doing. */
import { uptime } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Grid, type TestWorker } from '../support/grid.js';
import { Proxy } from '../../scripts/services/proxy.js';

let grid: Grid;
let workers: TestWorker[] = [];

async function worker(name: string, settings: Record<string, string> = {}): Promise<TestWorker> {
  const started = await grid.startWorker(name, { PORIN_SLOTS: '2', PORIN_CPU_MILLI: '2000', ...settings });
  workers.push(started);
  return started;
}

beforeAll(async () => {
  grid = await Grid.start();
});
afterEach(async () => {
  for (const running of workers) await running.stop();
  workers = [];
});
afterAll(() => grid.stop());

describe('a worker that is told to end', () => {
  it('ends once its jobs have, also while Redis is away', async () => {
    const redis = new URL(grid.redisUrl);
    const proxy = await Proxy.open({ host: redis.hostname, port: Number(redis.port) });
    try {
      const url = new URL(grid.redisUrl);
      url.port = String(proxy.port);
      const cut = await worker('cut-off', { PORIN_REDIS_URL: url.href });
      const until = Math.ceil(uptime() + 4);
      const id = await grid.submit(`while [ ${until} -gt $(cut -d. -f1 /proc/uptime) ]; do sleep 0.2; done`);
      await grid.waitFor(id, 'RUNNING');
      await proxy.close();
      await cut.end('SIGTERM');
      expect(await grid.job(id)).toMatchObject({ state: 'COMPLETE', attempts: [{ state: 'COMPLETE' }] });
    } finally {
      await proxy.close();
    }
  });

  it('gives back the second attempt at a job too, whose first one it lost', async () => {
    const settings = { PORIN_LEASE_MS: '3000', PORIN_DRAIN_MS: '0' };
    const sleeper = await worker('sleeper', settings);
    const id = await grid.submit('while ! [ -e /tmp/never ]; do sleep 0.2; done');
    await grid.waitFor(id, 'RUNNING');
    sleeper.child.kill('SIGSTOP');
    await eventually(async () => expect((await grid.job(id)).attempts).toMatchObject([{ state: 'LOST' }]));
    sleeper.child.kill('SIGCONT');
    await eventually(async () => {
      expect(sleeper.log).toContain('the attempt is lost');
      expect(await grid.job(id)).toMatchObject({ state: 'RUNNING', attempts: [{ state: 'LOST' }, { state: 'OPEN' }] });
    });
    await sleeper.end('SIGTERM');
    expect((await grid.job(id)).attempts).toMatchObject([{ state: 'LOST' }, { state: 'RELEASED' }]);
    await grid.http('post', `/api/v1/jobs/${id}/cancel`).expect(200);
  });
});
