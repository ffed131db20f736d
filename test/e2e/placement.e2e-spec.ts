/** Jobs on a grid of several nodes: where they go, and where they go when a node does not take them. */
import { uptime } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Grid, type TestWorker } from '../support/grid.js';

let grid: Grid;
let workers: TestWorker[] = [];
const MIB = 1024 ** 2;
const PATIENCE_MS = 4_000;
const SMALL = { cpuMilli: 1000, memoryBytes: 32 * MIB, diskBytes: 16 * MIB };

async function worker(name: string, settings: Record<string, string> = {}): Promise<TestWorker> {
  const started = await grid.startWorker(name, { PORIN_SLOTS: '2', PORIN_CPU_MILLI: '2000', ...settings });
  workers.push(started);
  return started;
}

beforeAll(async () => {
  grid = await Grid.start({ PORIN_CLAIM_PATIENCE_MS: String(PATIENCE_MS) });
});
afterEach(async () => {
  for (const running of workers) await running.stop();
  workers = [];
});
afterAll(() => grid.stop());

/** Seconds: it ends by being canceled. */
const LONG = 600;

/** Runs for so many seconds from now. */
function submitLong(seconds: number, resources: object = SMALL): Promise<string> {
  const until = Math.ceil(uptime() + seconds);
  return grid.submit(`while [ ${until} -gt $(cut -d. -f1 /proc/uptime) ]; do sleep 0.2; done`, { resources });
}

async function cancel(id: string): Promise<void> {
  await grid.http('post', `/api/v1/jobs/${id}/cancel`).expect(200);
  await grid.waitFor(id, 'CANCELED');
}

async function nodesOf(ids: readonly string[]): Promise<string[]> {
  const { rows } = await grid.api.owner.query<{ name: string }>(
    `SELECT node.name FROM attempt JOIN node ON node.id = node_id WHERE job_id = ANY($1) ORDER BY 1`,
    [ids],
  );
  return rows.map(({ name }) => name);
}

async function placedOn(id: string, nodeName: string): Promise<void> {
  await eventually(async () => {
    const { rows } = await grid.api.owner.query<{ node: string | null }>(
      `SELECT node.name AS node FROM job LEFT JOIN node ON node.id = placed_node_id AND dispatched_fence = fence WHERE job.id = $1`,
      [id],
    );
    expect(rows).toEqual([{ node: nodeName }]);
  });
}

async function completed(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const job = await grid.waitFor(id, 'COMPLETE');
    expect(job).toMatchObject({ failures: 0, attempts: [{ state: 'COMPLETE' }] });
  }
}

describe('two nodes', () => {
  it('share the jobs, and the larger one takes the large job', async () => {
    await worker('left', { PORIN_MEMORY_BYTES: String(128 * MIB) });
    await worker('right', { PORIN_MEMORY_BYTES: String(512 * MIB) });
    const ids = await Promise.all(Array.from({ length: 4 }, () => submitLong(LONG)));
    for (const id of ids) await grid.waitFor(id, 'RUNNING');
    expect(await nodesOf(ids)).toEqual(['left', 'left', 'right', 'right']);
    for (const id of ids) await cancel(id);
    const large = await submitLong(0, { ...SMALL, memoryBytes: 256 * MIB });
    await completed([large]);
    expect(await nodesOf([large])).toEqual(['right']);
  });

  it('let a job start on either, whichever has a slot first', async () => {
    await worker('slow', { PORIN_SLOTS: '1' });
    const occupying = await submitLong(LONG);
    await grid.waitFor(occupying, 'RUNNING');
    await worker('quick', { PORIN_SLOTS: '1' });
    const ids = await Promise.all(Array.from({ length: 6 }, () => submitLong(0)));
    await completed(ids);
    expect(new Set(await nodesOf(ids))).toEqual(new Set(['quick']));
    expect((await grid.job(occupying)).state).toBe('RUNNING');
    await cancel(occupying);
  });
});

describe('a node that leaves its jobs unclaimed', () => {
  it('loses them to another, at no cost to them; and no message makes another node claim them before', async () => {
    const frozen = await worker('frozen');
    // Its second slot reads messages although there is no CPU for it.
    const busy = await worker('busy', { PORIN_CPU_MILLI: '1000' });
    await completed(await Promise.all([submitLong(1), submitLong(1), submitLong(1)]));
    frozen.child.kill('SIGSTOP');
    await grid.api.owner.query(`UPDATE node SET state = 'DRAINING' WHERE name = 'frozen'`);
    const occupying = await submitLong(LONG);
    await grid.waitFor(occupying, 'RUNNING');
    await grid.api.owner.query(`UPDATE node SET state = 'READY' WHERE name = 'frozen'`);
    const ids = [await submitLong(0), await submitLong(0)];
    for (const id of ids) await placedOn(id, 'frozen');
    await grid.send('busy', { jobId: ids[0], attempt: 1 });
    await eventually(() => {
      expect(busy.log).toContain('there is nothing to claim');
      return Promise.resolve();
    });
    expect(await grid.job(ids[0] ?? '')).toMatchObject({ state: 'QUEUED', attempts: [] });
    await cancel(occupying);
    await completed(ids);
    expect(await nodesOf(ids)).toEqual(['busy', 'busy']);
    frozen.child.kill('SIGCONT');
    await sleep(3_000);
    await completed(ids);
  });

  it('gets jobs again once it claims one', async () => {
    const returning = await worker('returning');
    returning.child.kill('SIGSTOP');
    const ids = [await submitLong(0), await submitLong(0), await submitLong(0)];
    await eventually(async () => {
      for (const id of ids.slice(0, 2)) {
        expect(await grid.job(id)).toMatchObject({ waitingReason: 'placing-again', failures: 0 });
      }
    });
    returning.child.kill('SIGCONT');
    await completed(ids);
  });
});

describe('a node that is taken out of service', () => {
  it('gives what waits there to another at once', async () => {
    const leaving = await worker('leaving', { PORIN_SLOTS: '1' });
    // Short ones, so that more are sent ahead.
    await completed(await Promise.all(Array.from({ length: 3 }, () => submitLong(0))));
    const occupying = await submitLong(10);
    await grid.waitFor(occupying, 'RUNNING');
    const ids = await Promise.all(Array.from({ length: 3 }, () => submitLong(0)));
    const gone = leaving.end('SIGTERM');
    await worker('staying', { PORIN_SLOTS: '1' });
    await completed(ids);
    expect(new Set(await nodesOf(ids))).toEqual(new Set(['staying']));
    await gone;
    await completed([occupying]);
  });
});
