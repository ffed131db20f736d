import { randomUUID } from 'node:crypto';
import { messageId, queueConnection, queueName } from '#lib/queue';
import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { required } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { isQueuedOrPlaced } from '../support/queue-rows.js';
import { type AttemptKey, cancelEverything } from '../support/worker-rows.js';

let api: TestApi;
let queue: Queue;
let admin: string;
let node: string;

const job = { executors: [{ image: 'debian:bookworm', command: ['true'] }] };
const submit = async (body: object = job): Promise<string> =>
  (await api.post(admin, '/api/v1/jobs', body).expect(201)).body.id;
const read = async (id: string) => (await api.get(admin, `/api/v1/jobs/${id}`).expect(200)).body;
const queuedIds = async () => (await queue.getJobs(['waiting', 'prioritized'])).map((message) => message.id).sort();
const firstMessages = (...ids: string[]) => ids.map((jobId) => messageId({ jobId, attempt: 1 })).sort();

beforeAll(async () => {
  api = await startTestApi();
  admin = await api.makeKey({ role: 'admin' });
});

beforeEach(async () => {
  await useNode(1);
});

afterEach(async () => {
  await stopUsing();
  await cancelEverything(api.owner);
});

afterAll(() => api.stop());

async function useNode(slots: number): Promise<void> {
  node = await api.worker.addNode({ slots });
  queue = new Queue(queueName(node), {
    connection: queueConnection(required('PORIN_TEST_REDIS_URL'), { failFast: true }),
  });
}

async function stopUsing(): Promise<void> {
  await api.worker.removeNode(node);
  await queue.close();
}

describe('the dispatcher', () => {
  it('sends ids only, the most urgent first, no more than the slots, and again when Redis lost them', async () => {
    await stopUsing();
    const ids = [];
    for (const priority of [0, 0, 5]) ids.push(await submit({ ...job, priority }));
    const expected = firstMessages(ids[2] ?? '', ids[0] ?? '');
    await useNode(2);
    await eventually(async () => expect(await queuedIds()).toEqual(expected));
    const [message] = await queue.getJobs(['waiting']);
    expect(Object.keys(message?.data).sort()).toEqual(['attempt', 'jobId']);

    await queue.obliterate({ force: true });
    await eventually(async () => expect(await queuedIds()).toEqual(expected));
  });

  it('counts what runs with what waits, and goes on as soon as a slot is freed', async () => {
    const running = await submit();
    await eventually(async () => expect(await queuedIds()).toEqual(firstMessages(running)));
    const attempt = await api.worker.claim(running, node);
    await queue.obliterate({ force: true });
    const [next, last] = [await submit(), await submit()];
    await roundsOfDispatch(2);
    expect(await queuedIds()).toEqual([]);

    await api.owner.query(`UPDATE attempt SET started_at = now() - interval '1 min' WHERE job_id = $1`, [running]);
    await end(attempt);
    await eventually(async () => expect(await queuedIds()).toEqual(firstMessages(next)));
    await roundsOfDispatch(2);
    expect(await queuedIds()).toEqual(firstMessages(next));

    // A short job: the next one is sent ahead.
    const following = await submit();
    await end(await api.worker.claim(next, node));
    await eventually(async () => expect(await queuedIds()).toEqual(firstMessages(next, last, following)));
  });

  it('never adds the message of a held job again, nor counts it', async () => {
    await stopUsing();
    await useNode(2);
    const held = await submit({ executors: [{ application: await makeHoldingApplication() }] });
    await eventually(async () => expect(await queuedIds()).toEqual(firstMessages(held)));
    await hold(held);
    await queue.obliterate({ force: true });
    const others = [await submit(), await submit()];
    await eventually(async () => expect(await queuedIds()).toEqual(firstMessages(...others)));
    // Messages are taken for lost after 5 s.
    await api.owner.query(`UPDATE job SET placed_at = placed_at - interval '1 h' WHERE placed_at IS NOT NULL`);
    await roundsOfDispatch(2);
    expect(await queuedIds()).toEqual(firstMessages(...others));
    expect(await read(held)).toMatchObject({ fence: 1, waitingReason: 'waiting-for-approved-profile' });
  });
});

describe('the reconciler', () => {
  /** Of a job that fails on nodes that are well: two attempts are free, three are not. */
  const CHARGED = [0, 0, 1, 2, 3];
  const proveNode = () => api.owner.query('UPDATE node SET proved_at = clock_timestamp() WHERE id = $1', [node]);

  it('queues a job again when its worker stops renewing the lease, at no cost while that may be the node', async () => {
    const id = await submit();
    for (const [index, failures] of CHARGED.entries()) {
      await api.worker.claim(id, node, { leaseS: -1 });
      if (index === CHARGED.length - 1) break;
      await eventually(async () => expect(await read(id)).toMatchObject({ state: 'QUEUED', fence: index + 2 }));
      expect(await read(id)).toMatchObject({ failures, waitingReason: 'retry-after-lost-worker' });
      await proveNode();
    }
    await eventually(async () => expect((await read(id)).state).toBe('SYSTEM_ERROR'));
    const ended = await read(id);
    expect(ended).toMatchObject({ failures: 3, errorCode: 'lease-lost' });
    expect(ended.errorMessage).toContain('stopped renewing its lease');
    expect(await isQueuedOrPlaced(api.owner, id)).toBe(false);
  });

  it('tries an error of ours again, and ends the job with that error when it was charged thrice', async () => {
    const id = await submit();
    for (const [index, failures] of CHARGED.entries()) {
      const attempt = await api.worker.claim(id, node);
      if (index === 1) await api.worker.setJob(id, 'RUNNING');
      await api.worker.endAttempt(attempt, 'FAILED', 'engine-error');
      if (index === CHARGED.length - 1) break;
      await eventually(async () => expect(await read(id)).toMatchObject({ state: 'QUEUED', fence: index + 2 }));
      expect(await read(id)).toMatchObject({ failures, waitingReason: 'retry-after-system-error' });
      await proveNode();
    }
    await eventually(async () => expect((await read(id)).state).toBe('SYSTEM_ERROR'));
    expect(await read(id)).toMatchObject({
      ...{ failures: 3, errorCode: 'engine-error', errorMessage: 'words about engine-error' },
    });
    expect(await isQueuedOrPlaced(api.owner, id)).toBe(false);
  });

  it('sends a job that a node failed to another one, and to the same one only when a probe of that has succeeded', async () => {
    const id = await submit();
    await eventually(async () => expect(await queuedIds()).toEqual(firstMessages(id)));
    const attempt = await api.worker.claim(id, node);
    await queue.obliterate({ force: true });
    await api.worker.endAttempt(attempt, 'FAILED', 'engine-error');
    await eventually(async () => expect((await read(id)).fence).toBe(2));
    await roundsOfDispatch(4);
    expect(await queuedIds()).toEqual([]);
    await eventually(async () => {
      const { rows } = await api.owner.query<{ explanation: string | null }>(
        `SELECT explanation FROM lane JOIN queue_entry ON lane_id = lane.id WHERE job_id = $1`,
        [id],
      );
      expect(rows[0]?.explanation).toContain('failed it before, and is to be probed first');
    });
    await proveNode();
    await eventually(async () => expect(await queuedIds()).toEqual([messageId({ jobId: id, attempt: 2 })]));
  });

  it('queues a job that a draining node gave back, as often as it takes, without counting a failure', async () => {
    const id = await submit();
    for (const number of [1, 2, 3, 4]) {
      const attempt = await api.worker.claim(id, node);
      await api.worker.setJob(id, 'RUNNING');
      await api.worker.endAttempt(attempt, 'RELEASED', 'node-draining');
      await eventually(async () => expect((await read(id)).fence).toBe(number + 1));
    }
    expect(await read(id)).toMatchObject({ state: 'QUEUED', failures: 0, waitingReason: 'retry-after-drain' });
  });

  it('ends a canceled job that no attempt holds any more, and leaves one that a worker still holds', async () => {
    const [abandoned, heldByWorker] = [await submit(), await submit()];
    const attempt = await api.worker.claim(abandoned, node);
    await api.worker.claim(heldByWorker, node);
    await api.worker.endAttempt(attempt, 'FAILED', 'engine-error');
    await api.owner.query(`UPDATE job SET state = 'CANCELING' WHERE id = ANY($1)`, [[abandoned, heldByWorker]]);
    await eventually(async () => expect((await read(abandoned)).state).toBe('CANCELED'));
    expect((await read(heldByWorker)).state).toBe('CANCELING');
  });

  it('releases a held job when the policy does not hold it any more', async () => {
    const name = await makeHoldingApplication();
    const id = await submit({ executors: [{ application: name, command: [] }] });
    await hold(id);
    await roundsOfDispatch(2);
    expect(await read(id)).toMatchObject({ fence: 1, waitingReason: 'waiting-for-approved-profile' });
    await api.owner.query(`UPDATE application SET policy = 'learn' WHERE name = $1`, [name]);
    await eventually(async () => expect(await read(id)).toMatchObject({ fence: 2, waitingReason: 'waiting-for-slot' }));
    expect(await isQueuedOrPlaced(api.owner, id)).toBe(true);
  });
});

async function end(attempt: AttemptKey): Promise<void> {
  await api.worker.setJob(attempt.jobId, 'RUNNING');
  await api.worker.endJob(attempt, ['COMPLETE'], ['COMPLETE']);
}

/** As a worker that finds no approved profile. */
async function hold(id: string): Promise<void> {
  const attempt = await api.worker.claim(id, node);
  await api.worker.endJob(attempt, ['RELEASED'], ['QUEUED', 'waiting-for-approved-profile']);
}

async function makeHoldingApplication(): Promise<string> {
  const name = `app-${randomUUID()}`;
  await api.post(admin, '/api/v1/applications', { name, image: 'porin/edf:1', policy: 'hold' }).expect(201);
  return name;
}

/** Returns when the dispatcher has gone round so often since: a job that nothing holds is released once a round. */
async function roundsOfDispatch(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const probe = await submit({ ...job, architecture: 'aarch64' });
    await hold(probe);
    await eventually(async () => expect((await read(probe)).fence).toBe(2));
  }
}
