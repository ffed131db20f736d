/** Whose job is next, what priorities do, and what is said of a job that waits. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { cancelEverything } from '../support/worker-rows.js';

const GIB = 1024 ** 3;
const JOB = { executors: [{ image: 'debian:bookworm', command: ['true'] }] };

let api: TestApi;
const nodes: string[] = [];

beforeAll(async () => {
  api = await startTestApi();
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await api.worker.removeNode(node);
  await cancelEverything(api.owner);
  await api.owner.query(
    'DELETE FROM node WHERE NOT EXISTS (SELECT FROM attempt WHERE node_id = node.id) AND NOT EXISTS (SELECT FROM job WHERE placed_node_id = node.id)',
  );
});
afterAll(() => api.stop());

const submitterOf = async (tenant: string) => {
  await api.owner.query(
    `INSERT INTO tenant_setting (tenant, unknown_content) VALUES ($1, 'learn') ON CONFLICT DO NOTHING`,
    [tenant],
  );
  return api.makeKey({ role: 'submitter', tenant });
};
const submit = async (key: string, body: object = {}): Promise<string> =>
  (await api.post(key, '/api/v1/jobs', { ...JOB, ...body }).expect(201)).body.id;
const textOf = async (key: string, id: string): Promise<string> =>
  (await api.get(key, `/api/v1/jobs/${id}`).expect(200)).body.waitingReasonText;

async function addNode(slots: number): Promise<void> {
  nodes.push(await api.worker.addNode({ slots }));
}

async function placed(): Promise<string[]> {
  const { rows } = await api.owner.query<{ id: string }>(
    `SELECT id FROM job WHERE dispatched_fence = fence AND state = 'QUEUED' ORDER BY placed_at, id`,
  );
  return rows.map(({ id }) => id);
}

describe('two tenants', () => {
  it('share what there is, whoever came first, and by their weights', async () => {
    const [early, late] = [`early-${randomUUID()}`, `late-${randomUUID()}`];
    const [first, second] = [await submitterOf(early), await submitterOf(late)];
    const ofFirst: string[] = [];
    for (let count = 0; count < 8; count++) ofFirst.push(await submit(first));
    const ofSecond: string[] = [];
    for (let count = 0; count < 4; count++) ofSecond.push(await submit(second));
    await api.owner.query('UPDATE tenant_setting SET weight = 3 WHERE tenant = $1', [late]);
    // Weights are read every few seconds.
    await api.restart();
    await addNode(4);
    await eventually(async () => expect(await placed()).toHaveLength(4));
    const taken = await placed();
    expect(taken.filter((id) => ofFirst.includes(id))).toEqual(ofFirst.slice(0, 1));
    expect(taken.filter((id) => ofSecond.includes(id))).toHaveLength(3);
  });
});

describe('a priority', () => {
  it('is bounded by the role, also where a job is repeated by somebody with less', async () => {
    const keys = {
      submitter: await api.makeKey({ role: 'submitter' }),
      reviewer: await api.makeKey({ role: 'reviewer' }),
      admin: await api.makeKey({ role: 'admin' }),
    };
    for (const [role, most] of [
      ['submitter', 10],
      ['reviewer', 50],
    ] as const) {
      await submit(keys[role], { priority: most });
      const { body } = await api.post(keys[role], '/api/v1/jobs', { ...JOB, priority: most + 1 }).expect(403);
      expect(body).toMatchObject({ code: 'priority-not-allowed', detail: expect.stringContaining(`above ${most}`) });
    }
    const urgent = await submit(keys.admin, { priority: 100 });
    const again = await api.post(keys.reviewer, `/api/v1/jobs/${urgent}/rerun`).expect(201);
    expect(again.body.priority).toBe(50);
  });

  it('acts within its tenant alone', async () => {
    const [one, other] = [await submitterOf(`one-${randomUUID()}`), await submitterOf(`other-${randomUUID()}`)];
    const plain = await submit(one);
    const lesser = await submit(other);
    const urgent = await submit(other, { priority: 10 });
    await addNode(2);
    await eventually(async () => expect(await placed()).toHaveLength(2));
    expect((await placed()).sort()).toEqual([plain, urgent].sort());
    expect(await placed()).not.toContain(lesser);
  });
});

describe('a job that waits', () => {
  it('says what is missing, and how many go before it', async () => {
    const key = await submitterOf(`waits-${randomUUID()}`);
    const arm = await submit(key, { architecture: 'aarch64' });
    await eventually(async () =>
      expect(await textOf(key, arm)).toBe(
        'waiting for a slot on a node; no node of architecture aarch64 has reported within a day',
      ),
    );
    await addNode(1);
    const [running, next, last] = [await submit(key), await submit(key), await submit(key)];
    await eventually(async () => expect(await textOf(key, running)).toMatch(/; it is placed on \S+, which starts it/));
    await api.worker.claim(running, nodes[0] ?? '');
    await eventually(async () =>
      expect(await textOf(key, next)).toMatch(/busy: \S+ has room for it, free in about \d+ (s|min|h) at the latest/),
    );
    expect(await textOf(key, last)).toMatch(/; 1 of your jobs? is before it; of that one: the nodes/);
  });

  it('ends where no node could ever run it, and says what the largest has', async () => {
    const key = await submitterOf(`large-${randomUUID()}`);
    await addNode(1);
    const id = await submit(key, { resources: { memoryBytes: 2048 * GIB } });
    await eventually(async () =>
      expect((await api.get(key, `/api/v1/jobs/${id}`)).body).toMatchObject({
        state: 'EXECUTOR_ERROR',
        errorCode: 'resources-unavailable',
        errorMessage: expect.stringMatching(
          /: no node has 2048 GiB of memory; the largest, \S+, has 1024 GiB of memory\.$/,
        ),
      }),
    );
  });
});
