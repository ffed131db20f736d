/** What fails around a worker: its engine, its recorder, Postgres, an image's registry, another node. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { uptime } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { required } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { Grid, type TestWorker } from '../support/grid.js';
import { Proxy } from '../../scripts/services/proxy.js';

let grid: Grid;
let workers: TestWorker[] = [];
const MIB = 1024 ** 2;

async function worker(name: string, settings: Record<string, string> = {}): Promise<TestWorker> {
  const started = await grid.startWorker(name, { PORIN_SLOTS: '2', PORIN_CPU_MILLI: '2000', ...settings });
  workers.push(started);
  return started;
}
async function stopWorkers(): Promise<void> {
  for (const running of workers) await running.stop();
  workers = [];
}
const said = (of: TestWorker, words: string) =>
  eventually(() => {
    expect(of.log).toContain(words);
    return Promise.resolve();
  });

beforeAll(async () => {
  grid = await Grid.start();
});
afterEach(stopWorkers);
afterAll(() => grid.stop());

describe('a container engine that is away', () => {
  it('costs a job that waits none of its tries, nor the worker its life when the recorder ends meanwhile', async () => {
    const path = '/tmp/porin-engine-proxy.sock';
    const engine = await Proxy.open({ path: required('DOCKER_HOST').replace(/^unix:\/\//, '') }, path);
    try {
      const patient = await worker('patient', { DOCKER_HOST: `unix://${path}` });
      await engine.close();
      const id = await grid.submit('true');
      await said(patient, 'the container engine does not answer');
      const [recorder] = readFileSync(`/proc/${patient.child.pid}/task/${patient.child.pid}/children`, 'utf8').split(
        ' ',
      );
      process.kill(Number(recorder), 'SIGKILL');
      await said(patient, 'could not be told');
      await engine.open();
      const job = await grid.waitFor(id, 'COMPLETE');
      expect(job.attempts).toMatchObject([{ state: 'COMPLETE' }]);
    } finally {
      await stopWorkers();
      await engine.close();
    }
  });
});

describe('Postgres', () => {
  it('may be away for a moment while a payload prints, and the job loses nothing', async () => {
    const url = new URL((await grid.node('resilient')).PORIN_DATABASE_URL ?? '');
    const postgres = await Proxy.open({ host: url.hostname, port: Number(url.port) });
    try {
      url.port = String(postgres.port);
      const resilient = await worker('resilient', { PORIN_DATABASE_URL: url.href });
      const until = Math.ceil(uptime() + 8);
      const id = await grid.submit(
        `n=0; while [ ${until} -gt $(cut -d. -f1 /proc/uptime) ]; do n=$((n+1)); echo line $n; sleep 0.05; done; echo $n > /out/n`,
        { outputs: [{ ...grid.output('printed'), path: '/out/n' }] },
      );
      await grid.waitFor(id, 'RUNNING');
      await eventually(async () => expect(await grid.log(id)).toContain('line 5'));
      await postgres.close();
      await said(resilient, 'the session with Postgres was lost');
      await sleep(2_000);
      await postgres.open();
      const job = await grid.waitFor(id, 'COMPLETE');
      expect(job.attempts).toMatchObject([{ state: 'COMPLETE' }]);
      const count = Number(grid.published('printed'));
      expect(await grid.log(id)).toBe(Array.from({ length: count }, (_, index) => `line ${index + 1}\n`).join(''));
    } finally {
      await stopWorkers();
      await postgres.close();
    }
  });

  it('is asked for one session by a worker whose session it ended', async () => {
    await worker('single');
    const sessions = async () =>
      (
        await grid.api.owner.query<{ pid: number }>(
          `SELECT pid FROM pg_stat_activity WHERE application_name = 'porin-worker-session' AND datname = current_database()`,
        )
      ).rows.map(({ pid }) => pid);
    const [before] = await sessions();
    await grid.api.owner.query('SELECT pg_terminate_backend($1)', [before]);
    await eventually(async () => expect(await sessions()).not.toEqual([before]));
    const seen = new Set<number>();
    for (const deadline = Date.now() + 4_000; Date.now() < deadline;) for (const pid of await sessions()) seen.add(pid);
    expect(seen.size).toBe(1);
  });
});

describe('a registry that begins to answer and does not go on', () => {
  it('does not keep a job from being canceled', async () => {
    const silent = createServer((request: IncomingMessage, response: ServerResponse) => {
      if (request.url === '/v2/') response.end('{}');
    }).listen(0, '127.0.0.1');
    try {
      if (!silent.listening) await once(silent, 'listening');
      const { port } = silent.address() as AddressInfo;
      await worker('puller');
      const id = await grid.submit('', { executors: [{ image: `127.0.0.1:${port}/silent:1`, command: ['true'] }] });
      await grid.waitFor(id, 'INITIALIZING');
      await grid.http('post', `/api/v1/jobs/${id}/cancel`).expect(200);
      await grid.waitFor(id, 'CANCELED');
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});

describe('a job whose outputs do not fit its disk', () => {
  it('fails, and leaves no mount behind', async () => {
    await worker('tidy');
    const outputs = Array.from({ length: 1000 }, (_, index) => ({
      url: pathToFileURL(join(grid.outputs, `${index}`)).href,
      path: `/out-${index}/file`,
    }));
    const job = await grid.run('true', { outputs, resources: { diskBytes: MIB } });
    expect(job.state).toBe('SYSTEM_ERROR');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(job.id);
  });
});

describe('a job that only a node which is away has room for', () => {
  it('waits for it, and lets others pass', async () => {
    const large = { PORIN_MEMORY_BYTES: String(1024 * MIB) };
    await (await worker('large', large)).stop();
    await worker('small', { PORIN_MEMORY_BYTES: String(128 * MIB) });
    const id = await grid.submit('true', { resources: { memoryBytes: 512 * MIB }, priority: 10 });
    const others = [];
    for (let index = 0; index < 20; index++) {
      others.push(await grid.submit('true', { resources: { memoryBytes: 64 * MIB } }));
    }
    for (const other of others) await grid.waitFor(other, 'COMPLETE');
    expect(await grid.job(id)).toMatchObject({ state: 'QUEUED', waitingReason: 'waiting-for-slot' });
    await worker('large', large);
    await grid.waitFor(id, 'COMPLETE');
  });
});
