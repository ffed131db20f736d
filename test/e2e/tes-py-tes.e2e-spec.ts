/** py-tes, the client in Snakemake, Toil and portals, against a grid that runs what it submits. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Pool } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importAlpineImage } from '../support/alpine-image.js';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { eventually } from '../support/eventually.js';
import { Grid } from '../support/grid.js';
import { baseUrl, type Credentials, TesClients } from '../support/tes-clients.js';

const UNLIMITED = { PORIN_RATE_LIMIT_PER_MINUTE: '1000000', PORIN_TENANT_RATE_LIMIT_PER_MINUTE: '1000000' };

let grid: Grid;
let clients: TesClients;
let url: string;
let key: string;

beforeAll(async () => {
  grid = await Grid.start(UNLIMITED);
  url = await baseUrl(grid.api.app);
  key = await grid.api.makeKey({ role: 'submitter' });
  await importAlpineImage(grid.docker);
  await grid.startWorker('node-a');
  const directory = join(grid.inputs, 'client');
  mkdirSync(directory);
  clients = TesClients.install(directory);
}, 900_000);
afterAll(() => grid.stop());

interface Task {
  readonly id: string;
  readonly state: string;
  readonly logs?: readonly { readonly logs?: readonly object[]; readonly outputs?: readonly object[] }[];
}
type Views = Readonly<Record<'MINIMAL' | 'BASIC' | 'FULL', Task>>;

const bearer = (token = key): Credentials => ({ TES_URL: url, TES_TOKEN: token });
const ask = <Answer>(command: string, given: readonly unknown[] = [], as: Credentials = bearer()) =>
  clients.ask('py_tes', as, command, ...given) as Promise<Answer>;
const task = (script: string, more: object = {}) => ({
  name: randomUUID(),
  executors: [{ image: 'alpine', command: ['sh', '-c', script] }],
  ...more,
});

describe('py-tes', () => {
  it.each([
    ['a token', () => bearer()],
    ['a user and a password', () => ({ TES_URL: url, TES_USER: 'anybody', TES_PASSWORD: key })],
    ['a slash behind the URL', () => ({ ...bearer(), TES_URL: `${url}/` })],
  ])('is told with %s what the service is', async (_what, as) => {
    const info = await ask('service_info', [], as());
    expect(info).toMatchObject({ id: 'porin.tes', type: { artifact: 'tes', version: '1.1.0' }, storage: ['file:///'] });
  });

  it.each([
    ['a wrong token', () => ({ TES_URL: url, TES_TOKEN: `porin_${'a'.repeat(43)}` })],
    ['a wrong password', () => ({ TES_URL: url, TES_USER: key, TES_PASSWORD: 'none' })],
    ['nothing', () => ({ TES_URL: url })],
  ])('is refused with %s, and asks nowhere else', async (_what, as) => {
    await expect(ask('create', [task('true')], as())).rejects.toThrow(/401 Client Error.*\/ga4gh\/tes\/v1\/tasks/s);
  });

  it('runs a task with files, and is shown it in every view', async () => {
    const text = `${randomUUID()}\n`;
    writeFileSync(join(grid.inputs, 'a b.txt'), text);
    const given = task('cat "/in/a b.txt" /in/c.txt | md5sum > /out/sums.txt; echo said; echo told >&2', {
      description: 'Two sums',
      tags: { study: 'sleep' },
      inputs: [
        { url: join(grid.inputs, 'a b.txt'), path: '/in/a b.txt', type: 'FILE' },
        { content: 'brought\n', path: '/in/c.txt', type: 'FILE' },
      ],
      outputs: [{ url: pathToFileURL(join(grid.outputs, 'sums.txt')).href, path: '/out/sums.txt', type: 'FILE' }],
      resources: { cpu_cores: 1, ram_gb: 0.5, disk_gb: 0.5 },
    });
    const { MINIMAL, BASIC, FULL } = await ask<Views>('run', [given]);
    expect(MINIMAL).toEqual({ id: FULL.id, state: 'COMPLETE' });
    const ended = { start_time: expect.any(String), end_time: expect.any(String), exit_code: 0 };
    expect(FULL).toMatchObject({
      ...given,
      state: 'COMPLETE',
      logs: [
        {
          logs: [{ ...ended, stdout: 'said\n', stderr: 'told\n' }],
          outputs: [{ path: '/out/sums.txt', size_bytes: 36 }],
          metadata: { node: 'node-a', attempt: '1' },
        },
      ],
    });
    const shown = BASIC.logs?.[0]?.logs;
    expect(shown).toEqual([ended]);
    expect(JSON.stringify(BASIC)).not.toContain('brought');
    const sum = createHash('md5').update(`${text}brought\n`).digest('hex');
    expect(grid.published('sums.txt')).toBe(`${sum}  -\n`);
  });

  it('is told of a command that fails, and of one that is not there', async () => {
    const failed = await ask<Views>('run', [task('echo why >&2; exit 3')]);
    expect(failed.FULL).toMatchObject({
      state: 'EXECUTOR_ERROR',
      logs: [{ logs: [{ exit_code: 3, stderr: 'why\n' }] }],
    });
    const absent = { name: 'absent', executors: [{ image: 'alpine', command: ['no-such-command'] }] };
    expect((await ask<Views>('run', [absent])).FULL).toMatchObject({
      state: 'EXECUTOR_ERROR',
      logs: [{ logs: [{ exit_code: 127 }] }],
    });
  });

  it('is told at once what is wrong with a task', async () => {
    await expect(ask('create', [{ name: 'none', executors: [] }])).rejects.toThrow('400 Client Error');
  });

  it('cancels a task that runs, and stops waiting for it', async () => {
    const id = await ask<string>('create', [task('sleep 600')]);
    await grid.waitFor(id, 'RUNNING');
    expect(await ask('cancel', [id])).toBe('CANCELED');
    await grid.waitFor(id, 'CANCELED');
  });

  it('gets the same task where the connection broke before the answer, and another one for the next request', async () => {
    const given = task('true');
    const proxy = await CuttingProxy.start(Number(new URL(url).port));
    const { owner } = grid.api;
    // The API has the request, and cannot answer yet.
    await owner.query('BEGIN');
    await owner.query('LOCK TABLE unanswered_task IN EXCLUSIVE MODE');
    const created = ask<string>('create', [given], { ...bearer(), TES_URL: proxy.url });
    await eventually(async () => {
      const { rows } = await owner.query(
        `SELECT FROM pg_locks WHERE relation = 'unanswered_task'::regclass AND NOT granted`,
      );
      expect(rows).toHaveLength(1);
    });
    proxy.cut();
    await owner.query('COMMIT');
    const id = await created;
    const named = async () => (await owner.query('SELECT id FROM job WHERE name = $1', [given.name])).rows;
    expect(await named()).toEqual([{ id }]);
    expect(proxy.connections).toBe(2);
    expect(await ask('create', [given])).not.toBe(id);
    expect(await named()).toHaveLength(2);
    await proxy.stop();
  });
});

describe('a list of 10,000 tasks', () => {
  const TASKS = 10_000;
  const LANES = 16;

  it('has each of them once while they run', { timeout: 600_000 }, async () => {
    const principal = await grid.api.makeKey({ role: 'submitter' });
    const ids = await submitMany(principal);
    const ended = async () =>
      Number((await grid.api.owner.query('SELECT count(*) FROM job WHERE ended_at IS NOT NULL')).rows[0].count);
    for (let changed = false; !changed;) {
      const before = await ended();
      const listed = await ask<Task[]>('list_all', [{ view: 'MINIMAL', page_size: 500 }], bearer(principal));
      changed = (await ended()) > before;
      const unique = new Set(listed.map(({ id }) => id));
      expect([listed.length, unique.size]).toEqual([TASKS, TASKS]);
      expect(ids.every((id) => unique.has(id))).toBe(true);
    }
  });

  async function submitMany(token: string): Promise<readonly string[]> {
    const pool = new Pool(url, { connections: LANES });
    const body = JSON.stringify({ executors: [{ image: 'alpine', command: ['true'] }] });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const ids: string[] = [];
    let left = TASKS;
    const lane = async () => {
      while (left-- > 0) {
        const answer = await pool.request({ method: 'POST', path: '/ga4gh/tes/v1/tasks', headers, body });
        ids.push(((await answer.body.json()) as { id: string }).id);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    await pool.close();
    return ids;
  }
});
