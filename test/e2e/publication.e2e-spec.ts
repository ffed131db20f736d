/** A worker is killed, frozen and canceled between any two steps of a publication. */
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Grid, type JobView, type TestWorker } from '../support/grid.js';
import { HttpServer } from '../support/http-server.js';

let grid: Grid;
let server: HttpServer;
const workers: TestWorker[] = [];
/** What the server has taken, by path; and how its next requests are answered. */
const received = new Map<string, string[]>();
let answer: (response: ServerResponse) => void = (response) => response.end();

beforeAll(async () => {
  server = await HttpServer.start(
    new Proxy(
      {},
      {
        get: (_, path: string) => (request: AsyncIterable<Buffer>, response: ServerResponse) => {
          void (async () => {
            const chunks: Buffer[] = [];
            for await (const chunk of request) chunks.push(chunk);
            received.set(path, [...(received.get(path) ?? []), Buffer.concat(chunks).toString()]);
            answer(response);
          })().catch(() => undefined);
        },
      },
    ),
  );
  grid = await Grid.start({ PORIN_OUTPUT_URL_PREFIXES: `file:///,${server.url('/')}` });
});
afterEach(async () => {
  answer = (response) => response.end();
  for (const worker of workers.splice(0)) await worker.stop();
});
afterAll(async () => {
  await grid.stop();
  await server.stop();
});

async function worker(name: string, settings: Record<string, string> = {}): Promise<TestWorker> {
  const started = await grid.startWorker(name, {
    PORIN_LEASE_MS: '3000',
    PORIN_SLOTS: '1',
    PORIN_ALLOW_PRIVATE_ADDRESSES: 'true',
    PORIN_OUTPUT_URL_PREFIXES: `${pathToFileURL(grid.outputs).href}/,${server.url('/')}`,
    ...settings,
  });
  workers.push(started);
  return started;
}

/** Three outputs, in the order in which they are published: one by PUT, two files. */
const names = ['sent', 'first', 'second'] as const;

function request(id: string, text = id): object {
  return grid.script(`sleep 1; for name in ${names.join(' ')}; do echo ${text} $name > /out/$name; done`, {
    outputs: [
      { path: '/out/second', url: pathToFileURL(join(grid.outputs, id, 'second')).href },
      { path: '/out/first', url: pathToFileURL(join(grid.outputs, id, 'first')).href },
      { path: '/out/sent', url: server.url(`/${id}`) },
    ],
  });
}

async function submit(id: string, text = id): Promise<string> {
  const { body } = await grid.http('post', '/api/v1/jobs', 'submitter').send(request(id, text)).expect(201);
  return (body as { id: string }).id;
}

const files = (id: string) => {
  const directory = join(grid.outputs, id);
  return existsSync(directory) ? readdirSync(directory).sort() : [];
};
const published = (id: string) => files(id).map((name) => grid.published(`${id}/${name}`));
const stagedBytes = (node: string) => {
  const directory = join(grid.outputs, `../work-${node}/send-${node}`);
  return existsSync(directory) ? readdirSync(directory) : [];
};

interface Held {
  readonly release: () => Promise<void>;
  /** Before anybody else can have the rows; it lets go of them. */
  readonly cancel?: (jobId: string) => Promise<void>;
}

/** Holds rows in a transaction of its own, so that the worker stands still at its next statement about them. */
async function hold(sql: string, values: unknown[]): Promise<Held> {
  const client = new pg.Client({ connectionString: grid.api.database.ownerUrl });
  await client.connect();
  await client.query('BEGIN');
  await eventually(async () => {
    const { rowCount } = await client.query(sql, values);
    if (rowCount === 0) throw new Error(`nothing to hold: ${sql}`);
  });
  return {
    release: () => client.end(),
    async cancel(jobId) {
      await client.query(
        `UPDATE porin.job SET state = 'CANCELING', waiting_reason = NULL, cancel_requested_at = now() WHERE id = $1`,
        [jobId],
      );
      await client.query('COMMIT');
      await client.end();
    },
  };
}

/** A statement of a worker that is gone would still be carried out once nothing holds it up. */
async function endStatements(): Promise<void> {
  await grid.api.owner.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'porin-worker' AND wait_event_type = 'Lock' AND datname = current_database()`,
  );
}

interface Step {
  readonly name: string;
  /** Resolves when the worker stands still after the step; what it gives lets go again. */
  readonly reach: (jobId: string, id: string) => Promise<Held>;
  readonly isCommitted: boolean;
}

const attemptIs = (jobId: string, state: string) =>
  eventually(async () => expect((await grid.job(jobId)).attempts.at(-1)?.state).toBe(state));

/** After the commit: the worker waits for the answer to its PUT, and then at the row of an output that it wants to mark. */
async function atRow(jobId: string, id: string, path: string, isReached: () => void) {
  const held: ServerResponse[] = [];
  answer = (response) => held.push(response);
  await eventually(() => Promise.resolve(expect(received.get(`/${id}`)).toHaveLength(1)));
  answer = (response) => response.end();
  const lock = await hold('SELECT FROM porin.job_output WHERE job_id = $1 AND path = $2 FOR UPDATE', [jobId, path]);
  for (const response of held) response.end();
  await eventually(() => Promise.resolve(isReached()));
  return lock;
}

const STEPS: readonly Step[] = [
  {
    name: 'staged',
    isCommitted: false,
    async reach(jobId, id) {
      await grid.waitFor(jobId, 'RUNNING');
      const lock = await hold(`SELECT FROM porin.job WHERE id = $1 AND state = 'RUNNING' FOR UPDATE`, [jobId]);
      await eventually(() => Promise.resolve(expect(files(id)).toHaveLength(2)));
      return lock;
    },
  },
  {
    name: 'committed',
    isCommitted: true,
    async reach(jobId, id) {
      const held: ServerResponse[] = [];
      answer = (response) => held.push(response);
      await eventually(() => Promise.resolve(expect(received.get(`/${id}`)).toHaveLength(1)));
      await attemptIs(jobId, 'PUBLISHING');
      return {
        release: () => {
          for (const response of held) response.end();
          answer = (response) => response.end();
          return Promise.resolve();
        },
      };
    },
  },
  {
    name: 'sent',
    isCommitted: true,
    reach: (jobId, id) => atRow(jobId, id, '/out/sent', () => expect(files(id)).toHaveLength(2)),
  },
  {
    name: 'half renamed',
    isCommitted: true,
    reach: (jobId, id) => atRow(jobId, id, '/out/second', () => expect(files(id)).toContain('second')),
  },
  {
    name: 'all renamed',
    isCommitted: true,
    reach: (jobId, id) => atRow(jobId, id, '/out/first', () => expect(files(id)).toEqual(['first', 'second'])),
  },
];

function expectComplete(job: JobView, id: string, text = id): void {
  expect(job.state).toBe('COMPLETE');
  expect(job.outputs.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true);
  expect(files(id)).toEqual(['first', 'second']);
  expect(published(id)).toEqual([`${text} first\n`, `${text} second\n`]);
  expect(received.get(`/${id}`)?.at(-1)).toBe(`${text} sent\n`);
}

describe('a worker that is killed', () => {
  it.each(STEPS)('when outputs are $name leaves a job that its next process completes', async ({ name, reach }) => {
    const id = `killed-${name.replace(' ', '-')}`;
    const first = await worker(id);
    const jobId = await submit(id);
    const lock = await reach(jobId, id);
    await first.end('SIGKILL');
    await endStatements();
    await lock.release();
    await worker(id);
    const job = await grid.waitFor(jobId, 'COMPLETE');
    expectComplete(job, id);
    const times = { staged: 1, committed: 2 }[name] ?? (name === 'sent' ? 2 : 1);
    expect(received.get(`/${id}`)).toHaveLength(times);
    await eventually(() => Promise.resolve(expect(stagedBytes(id)).toEqual([])));
    expect(job.attempts.map(({ state }) => state)).toEqual(['LOST', 'COMPLETE']);
    // What is published is not run again.
    expect(job.runs).toHaveLength(name === 'staged' ? 2 : 1);
    const { body: task } = await grid.http('get', `/v1/tasks/${jobId}?view=FULL`).expect(200);
    const { logs } = task as { logs: { logs: { exit_code: number }[] }[] };
    expect(logs.map((log) => log.logs.map((run) => run.exit_code))).toEqual([[0]]);
  });
});

describe('a worker that stands still past its lease', () => {
  it.each(STEPS)('when outputs are $name puts nothing over what came after', async ({ name, reach, isCommitted }) => {
    const id = `frozen-${name.replace(' ', '-')}`;
    const frozen = await worker(id);
    const jobId = await submit(id);
    const lock = await reach(jobId, id);
    frozen.child.kill('SIGSTOP');
    if (!isCommitted) await endStatements();
    await lock.release();
    await worker('awake');
    const job = await grid.waitFor(jobId, 'COMPLETE', 'SYSTEM_ERROR');
    if (name === 'committed' || name === 'sent') {
      // Only the node that staged them has the bytes of what was to be sent, and nothing says that they were.
      expect(job).toMatchObject({ state: 'SYSTEM_ERROR', errorCode: 'publication-incomplete' });
      expect(job.outputs.map(({ sha256 }) => sha256)).toEqual([null, null, null]);
    } else {
      expectComplete(job, id);
    }
    await grid.waitFor(await submit(id, 'newer'), 'COMPLETE');
    frozen.child.kill('SIGCONT');
    await eventually(() =>
      Promise.resolve(expect(frozen.log).toMatch(/the attempt is lost|is left to another attempt|"published"/)),
    );
    // What nobody goes on from is removed within a minute.
    await eventually(() => Promise.resolve(expect(stagedBytes(id)).toEqual([])), 100_000);
    await eventually(() => Promise.resolve(expect(files(id)).toEqual(['first', 'second'])), 100_000);
    expect(published(id)).toEqual(['newer first\n', 'newer second\n']);
    expect(received.get(`/${id}`)?.at(-1)).toBe('newer sent\n');
  });
});

describe('a worker that is told to end', () => {
  it('gives back a publication that does not end within its grace, and its next process goes on', async () => {
    const id = 'drained';
    const first = await worker(id, { PORIN_DRAIN_MS: '1000' });
    const jobId = await submit(id);
    const held: ServerResponse[] = [];
    answer = (response) => held.push(response);
    await attemptIs(jobId, 'PUBLISHING');
    await eventually(() => Promise.resolve(expect(held).toHaveLength(1)));
    await first.end('SIGTERM');
    expect(await grid.job(jobId)).toMatchObject({ attempts: [{ state: 'RELEASED', errorCode: 'node-draining' }] });
    answer = (response) => response.end();
    await worker(id);
    const job = await grid.waitFor(jobId, 'COMPLETE');
    expectComplete(job, id);
    expect(job).toMatchObject({ failures: 0, attempts: [{ state: 'RELEASED' }, { state: 'COMPLETE' }] });
    expect(job.runs).toHaveLength(1);
  });
});

describe('a node that is started again with less than the payload needed', () => {
  it('publishes what it has staged', async () => {
    const id = 'shrunk';
    const first = await worker(id);
    const jobId = await submit(id);
    answer = () => undefined;
    await attemptIs(jobId, 'PUBLISHING');
    await first.end('SIGKILL');
    answer = (response) => response.end();
    await worker(id, { PORIN_CPU_MILLI: '100', PORIN_MEMORY_BYTES: String(16 * 1024 ** 2) });
    expectComplete(await grid.waitFor(jobId, 'COMPLETE'), id);
  });
});

describe('a cancel', () => {
  it.each(STEPS)('when outputs are $name', async ({ name, reach, isCommitted }) => {
    const id = `canceled-${name.replace(' ', '-')}`;
    await worker(id);
    const jobId = await submit(id);
    const lock = await reach(jobId, id);
    if (isCommitted) {
      const { body } = await grid.http('post', `/api/v1/jobs/${jobId}/cancel`).expect(200);
      expect(body).toMatchObject({ state: 'RUNNING', cancelRequestedAt: null, publishingSince: expect.any(String) });
      await lock.release();
      expectComplete(await grid.waitFor(jobId, 'COMPLETE'), id);
    } else {
      await lock.cancel?.(jobId);
      expect((await grid.waitFor(jobId, 'CANCELED', 'COMPLETE')).state).toBe('CANCELED');
      expect(files(id)).toEqual([]);
      expect(received.get(`/${id}`)).toBeUndefined();
    }
    // What was sent is removed when the job has ended.
    await eventually(() => Promise.resolve(expect(stagedBytes(id)).toEqual([])));
  });
});

describe('two outputs that a link makes one file', () => {
  it('end the job, and nothing is published', async () => {
    const id = 'linked';
    mkdirSync(join(grid.outputs, id, '2025'), { recursive: true });
    symlinkSync('2025', join(grid.outputs, id, 'latest'));
    await worker(id);
    const outputs = ['latest', '2025'].map((directory) => ({
      path: `/out/${directory}`,
      url: pathToFileURL(join(grid.outputs, id, directory, 'a')).href,
    }));
    const script = grid.script('for name in latest 2025; do echo $name > /out/$name; done', { outputs });
    const { body } = await grid.http('post', '/api/v1/jobs', 'submitter').send(script).expect(201);
    const job = await grid.waitFor((body as { id: string }).id, 'SYSTEM_ERROR', 'EXECUTOR_ERROR', 'COMPLETE');
    expect(job).toMatchObject({ errorCode: 'output-refused', publishingSince: null });
    expect(readdirSync(join(grid.outputs, id, '2025'))).toEqual([]);
  });
});
