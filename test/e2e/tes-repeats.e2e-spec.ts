/** A request for a task that is sent again because its answer was lost: by whom, where and when it gives the same task. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newTask } from '../../apps/api/src/ga4gh/submit/new-task.js';
import { digestOf } from '../../apps/api/src/ga4gh/submit/unanswered-tasks.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { RawConnection } from '../support/raw-http.js';

const FIRST = '/ga4gh/tes/v1/tasks';
const AGAIN = '/v1/tasks';

let api: TestApi;
let key: string;
let principalId: string;
let url: string;

beforeAll(async () => {
  api = await startTestApi();
  await api.app.listen(0, '127.0.0.1');
  url = await api.app.getUrl();
  const principal = randomUUID();
  key = await api.makeKey({ role: 'submitter', principal });
  const { rows } = await api.owner.query('SELECT id FROM principal WHERE name = $1', [principal]);
  principalId = rows[0].id;
});
afterEach(async () => {
  await api.owner.query('DELETE FROM unanswered_task');
});
afterAll(() => api.stop());

const someTask = () => ({ name: randomUUID(), executors: [{ image: 'debian:bookworm', command: ['true'] }] });
const post = async (path: string, body: object, by = key): Promise<string> =>
  (await api.post(by, path, body).expect(200)).body.id;
const countOf = async ({ name }: { name: string }): Promise<number> =>
  (await api.owner.query('SELECT FROM job WHERE name = $1', [name])).rows.length;
const unanswered = async (): Promise<number> => (await api.owner.query('SELECT FROM unanswered_task')).rows.length;

/** As if another API had made the task and not written its answer. */
async function leave(task: object, { ageS = 0, isLost = false, by = principalId } = {}): Promise<string> {
  const id = await post(AGAIN, task);
  await api.owner.query(
    `INSERT INTO unanswered_task (job_id, submitted_by, digest, is_lost, asked_at)
     VALUES ($1, $2, $3, $4, now() - make_interval(secs => $5))`,
    [id, by, digestOf(newTask.parse(task)), isLost, ageS],
  );
  return id;
}

describe('equal tasks', () => {
  it.each([FIRST, AGAIN])('are two at %s, one after another and at once', async (path) => {
    const task = someTask();
    const ids = [await post(path, task), await post(path, task)];
    ids.push(...(await Promise.all([post(path, task), post(path, task)])));
    expect(new Set(ids).size).toBe(4);
  });

  it('are two where the first one was answered', async () => {
    const task = someTask();
    expect(await post(AGAIN, task)).not.toBe(await post(FIRST, task));
    await eventually(async () => expect(await unanswered()).toBe(0));
  });

  it('are two where both are sent at once, each to its path, and both are answered', async () => {
    const task = someTask();
    const [one, other] = await Promise.all([post(FIRST, task), post(AGAIN, task)]);
    expect(one).not.toBe(other);
  });
});

describe('a request whose answer was lost', () => {
  /** Sends it, and keeps the database from looking at it for the time of `meanwhile`. */
  async function hold(path: string, task: object, meanwhile: (connection: RawConnection) => Promise<unknown>) {
    const body = JSON.stringify(task);
    await api.owner.query('BEGIN');
    await api.owner.query('LOCK TABLE unanswered_task IN EXCLUSIVE MODE');
    const connection = await RawConnection.open(url);
    const headers = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`];
    connection.sendHead(`POST ${path} HTTP/1.1`, `Authorization: Bearer ${key}`, ...headers);
    connection.send(body);
    await eventually(async () => {
      const { rows } = await api.owner.query(
        `SELECT FROM pg_locks WHERE relation = 'unanswered_task'::regclass AND NOT granted`,
      );
      expect(rows).toHaveLength(1);
    });
    await meanwhile(connection);
    await api.owner.query('COMMIT');
    return connection;
  }

  /** Breaks the connection off meanwhile. */
  const lose = (task: object, meanwhile: () => Promise<unknown>, path = FIRST) =>
    hold(path, task, async (connection) => {
      connection.destroy();
      await sleep(100);
      await meanwhile();
    });

  it('gives its task when it is sent again, while it is under way too', async () => {
    const task = someTask();
    let again: Promise<string> | undefined;
    await lose(task, async () => {
      again = post(AGAIN, task);
      await sleep(200);
    });
    const id = await again;
    expect(await countOf(task)).toBe(1);
    expect((await api.get(key, `${AGAIN}/${id}?view=BASIC`).expect(200)).body.name).toBe(task.name);
    // Once: what comes then is another task.
    expect(await post(AGAIN, task)).not.toBe(id);
  });

  it('is not one whose answer comes late: the request that is sent again meanwhile is another task', async () => {
    const task = someTask();
    let again: Promise<string> | undefined;
    const connection = await hold(FIRST, task, async () => {
      again = post(AGAIN, task);
      await sleep(6_000);
    });
    const first = (JSON.parse((await connection.answer()).body) as { id: string }).id;
    connection.destroy();
    expect(await again).not.toBe(first);
    expect(await countOf(task)).toBe(2);
  });

  it('gives its task once more where the answer to the second request was lost too', async () => {
    const task = someTask();
    const id = await leave(task, { isLost: true });
    await lose(task, () => Promise.resolve(), AGAIN);
    expect(await post(AGAIN, task)).toBe(id);
    expect(await post(AGAIN, task)).not.toBe(id);
    expect(await countOf(task)).toBe(2);
  });

  it('gives it later as well, and another one for another body, principal or path', async () => {
    const task = someTask();
    const other = await api.makeKey({ role: 'submitter' });
    await lose(task, () => Promise.resolve());
    await eventually(async () => expect(await countOf(task)).toBe(1));
    await post(AGAIN, { ...task, description: 'another' });
    await post(AGAIN, task, other);
    await post(FIRST, task);
    expect(await countOf(task)).toBe(4);
    await post(AGAIN, task);
    expect(await countOf(task)).toBe(4);
  });

  it('is known by what it says, not by its bytes', async () => {
    const task = someTask();
    const id = await leave(task, { isLost: true });
    expect(await post(AGAIN, { executors: task.executors, tags: null, name: task.name })).toBe(id);
  });

  it('is found whichever API lost it: at once where that is known, else after five seconds', async () => {
    const known = someTask();
    const id = await leave(known, { isLost: true });
    expect(await post(AGAIN, known)).toBe(id);
    const unknown = someTask();
    const started = performance.now();
    expect(await leave(unknown)).toBe(await post(AGAIN, unknown));
    expect(performance.now() - started).toBeGreaterThan(4_500);
  });

  it('is not found after a minute, nor by another principal', async () => {
    const task = someTask();
    const id = await leave(task, { ageS: 61, isLost: true });
    expect(await post(AGAIN, task)).not.toBe(id);
    const others = someTask();
    const theirs = await leave(others, { isLost: true, by: randomUUID() });
    expect(await post(AGAIN, others)).not.toBe(theirs);
  });

  it('gives as many tasks as were lost, each once', async () => {
    const task = someTask();
    const lost = [await post(FIRST, task), await post(FIRST, task)];
    await eventually(async () => expect(await unanswered()).toBe(0));
    const row = `INSERT INTO unanswered_task (job_id, submitted_by, digest, is_lost) SELECT id, $2, $3, true FROM unnest($1::uuid[]) AS id`;
    await api.owner.query(row, [lost, principalId, digestOf(newTask.parse(task))]);
    const again = await Promise.all([post(AGAIN, task), post(AGAIN, task), post(AGAIN, task)]);
    expect(again.filter((id) => lost.includes(id)).sort()).toEqual(lost.sort());
  });
});

it('jobs of Porin’s own API leave nothing behind', async () => {
  const { body } = await api.post(key, '/api/v1/jobs', someTask()).expect(201);
  const { rows } = await api.owner.query('SELECT task FROM job WHERE id = $1', [body.id]);
  expect(rows).toEqual([{ task: null }]);
  expect(await unanswered()).toBe(0);
});
