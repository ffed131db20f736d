/** Nodes that fail what others could do: they cost jobs no try, get few of them, and are back when they are mended. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NATIVE_DIR } from '../../scripts/setup/paths.js';
import { required } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { Grid, type TestWorker } from '../support/grid.js';
import { LimitedEngine } from '../support/limited-engine.js';

interface NodeView {
  readonly name: string;
  readonly state: string;
  readonly suspect: { readonly since: string; readonly reason: string } | null;
}

let grid: Grid;
let workers: TestWorker[] = [];
const MIB = 1024 ** 2;
const JOBS = 30;
const SMALL = { cpuMilli: 500, memoryBytes: 32 * MIB, diskBytes: 16 * MIB };
const SOCKET = '/tmp/porin-limited-engine.sock';

async function worker(name: string, settings: Record<string, string> = {}): Promise<TestWorker> {
  const started = await grid.startWorker(name, { PORIN_SLOTS: '2', PORIN_CPU_MILLI: '2000', ...settings });
  workers.push(started);
  return started;
}

async function node(name: string): Promise<NodeView | undefined> {
  const { nodes } = (await grid.http('get', '/api/v1/nodes').expect(200)).body as { nodes: NodeView[] };
  return nodes.find((one) => one.name === name);
}

const isIn = (name: string, state: string) =>
  eventually(async () => expect(await node(name)).toMatchObject({ state }), 60_000);

/** Of several applications in turn: those of images without a name are named by their command. */
async function submitMany(count: number, image = grid.image): Promise<string[]> {
  const ids = [];
  for (let index = 0; index < count; index++) {
    const command = [['/bin/true'], ['/bin/sh', '-c', 'true'], ['/bin/echo', 'a']][index % 3];
    ids.push(await grid.submit('', { executors: [{ image, command }], resources: SMALL }));
  }
  return ids;
}

async function attemptsOn(name: string, ids: readonly string[]): Promise<number> {
  const { rows } = await grid.api.owner.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM attempt JOIN node ON node.id = node_id WHERE job_id = ANY($1) AND node.name = $2`,
    [ids, name],
  );
  return rows[0]?.count ?? 0;
}

async function allComplete(ids: readonly string[]): Promise<void> {
  for (const id of ids) expect(await grid.waitFor(id, 'COMPLETE')).toMatchObject({ failures: 0 });
}

beforeAll(async () => {
  grid = await Grid.start();
});
afterEach(async () => {
  for (const running of workers) await running.stop();
  workers = [];
});
afterAll(() => grid.stop());

describe('a node', () => {
  it('is probed before it takes jobs, and nothing of the probe stays', async () => {
    await worker('fresh');
    const { rows } = await grid.api.owner.query(
      `SELECT probe_number, probe_answer, probe_problem, proved_at IS NOT NULL AS proved FROM node WHERE name = 'fresh'`,
    );
    expect(rows).toEqual([{ probe_number: 1, probe_answer: 1, probe_problem: null, proved: true }]);
    expect(await node('fresh')).toMatchObject({ state: 'READY', suspect: null });
    const containers = await grid.docker.listContainers({ all: true, filters: { label: ['porin.node=fresh'] } });
    expect(containers).toEqual([]);
    await eventually(async () => {
      const images = await grid.docker.listImages({ filters: { reference: ['porin/probe'] } });
      expect(images).toEqual([]);
    });
  });
});

describe('a node whose engine is dead', () => {
  it('is suspect soon, costs no job a try, and takes jobs again when a probe has succeeded', async () => {
    const engine = await LimitedEngine.open(required('DOCKER_HOST').replace(/^unix:\/\//, ''), SOCKET);
    try {
      await worker('good');
      await worker('dying', { DOCKER_HOST: `unix://${SOCKET}` });
      await engine.close();
      const ids = await submitMany(JOBS);
      await allComplete(ids);
      expect(await attemptsOn('dying', ids)).toBeLessThanOrEqual(4);
      await isIn('dying', 'SUSPECT');
      expect((await node('dying'))?.suspect?.reason).toMatch(/engine/);
      await engine.open();
      await isIn('dying', 'READY');
      const more = await submitMany(8);
      await allComplete(more);
      expect(await attemptsOn('dying', more)).toBeGreaterThan(0);
    } finally {
      for (const running of workers) await running.stop();
      await engine.close();
      rmSync(SOCKET, { force: true });
    }
  });
});

describe('a node whose engine answers and starts no container', () => {
  it('becomes suspect by jobs of two applications or by its probe, and is left alone until one succeeds', async () => {
    const engine = await LimitedEngine.open(required('DOCKER_HOST').replace(/^unix:\/\//, ''), SOCKET);
    try {
      await worker('good');
      await worker('hollow', { DOCKER_HOST: `unix://${SOCKET}` });
      engine.refuse(/\/containers\/create/);
      const ids = await submitMany(JOBS);
      await allComplete(ids);
      await isIn('hollow', 'SUSPECT');
      const tried = await attemptsOn('hollow', ids);
      expect(tried).toBeGreaterThan(0);
      expect(tried).toBeLessThanOrEqual(8);
      expect((await node('hollow'))?.suspect?.reason).toMatch(/probe failed|applications/);
      engine.refuse(undefined);
      await isIn('hollow', 'READY');
    } finally {
      for (const running of workers) await running.stop();
      await engine.close();
      rmSync(SOCKET, { force: true });
    }
  });

  it('is the only one: its jobs wait for it, and lose no try', async () => {
    const engine = await LimitedEngine.open(required('DOCKER_HOST').replace(/^unix:\/\//, ''), SOCKET);
    try {
      await worker('only', { DOCKER_HOST: `unix://${SOCKET}` });
      engine.refuse(/\/containers\/create/);
      const ids = await submitMany(3);
      await isIn('only', 'SUSPECT');
      for (const id of ids) expect((await grid.job(id)).state).not.toBe('SYSTEM_ERROR');
      engine.refuse(undefined);
      await allComplete(ids);
    } finally {
      for (const running of workers) await running.stop();
      await engine.close();
      rmSync(SOCKET, { force: true });
    }
  });
});

describe('a node that lacks an image which no registry has', () => {
  it('gets few of its jobs, and all of them run on the other', async () => {
    const engine = await LimitedEngine.open(required('DOCKER_HOST').replace(/^unix:\/\//, ''), SOCKET);
    await grid.docker.getImage(grid.image).tag({ repo: 'porin/imported', tag: '1' });
    try {
      await worker('having');
      await worker('lacking', { DOCKER_HOST: `unix://${SOCKET}` });
      engine.refuse(/\/images\/porin%2Fimported/i, 404);
      const ids = await submitMany(JOBS, 'porin/imported:1');
      await allComplete(ids);
      const tried = await attemptsOn('lacking', ids);
      expect(tried).toBeGreaterThan(0);
      // Of each of the three applications as many as it has slots: the rest waits until it is known what they ended by.
      expect(tried).toBeLessThanOrEqual(6);
      await isIn('lacking', 'READY');
    } finally {
      for (const running of workers) await running.stop();
      await grid.docker.getImage('porin/imported:1').remove();
      await engine.close();
      rmSync(SOCKET, { force: true });
    }
  });

  it('ends a job on an image that nobody has by its own error, after each node has looked', async () => {
    await worker('one');
    await worker('two');
    const job = await grid.run('', { executors: [{ image: 'porin/nowhere:1', command: ['true'] }], resources: SMALL });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'image-not-on-node' });
    expect(job.attempts).toHaveLength(2);
  });
});

describe('a node without a recorder', () => {
  it('gets no job that must be recorded, and stays in service', async () => {
    await worker('seeing');
    const native = mkdtempSync(join(tmpdir(), 'porin-native-'));
    copyFileSync(join(NATIVE_DIR, 'porin-init'), join(native, 'porin-init'));
    await worker('blind', { PORIN_NATIVE_DIR: native });
    const ids = await submitMany(JOBS);
    await allComplete(ids);
    expect(await attemptsOn('blind', ids)).toBe(0);
    await isIn('blind', 'READY');
    rmSync(native, { recursive: true });
  });
});

describe('a job that fails wherever it runs', () => {
  it('is charged when two nodes proved well, ends, and leaves both in service', async () => {
    await worker('left');
    await worker('right');
    // Its disk has no room for so many outputs: making its workspace fails.
    const outputs = Array.from({ length: 1000 }, (_, index) => grid.output(`${index}`)).map(({ url }, index) => ({
      url,
      path: `/out-${index}/file`,
    }));
    const job = await grid.run('true', { outputs, resources: { ...SMALL, diskBytes: MIB } });
    expect(job).toMatchObject({ state: 'SYSTEM_ERROR', failures: 3 });
    // Two free ones at least, five at most, as probes come; and three that are charged.
    expect(job.attempts.length).toBeGreaterThanOrEqual(5);
    expect(job.attempts.length).toBeLessThanOrEqual(8);
    const ids = await submitMany(6);
    await allComplete(ids);
    for (const name of ['left', 'right']) await isIn(name, 'READY');
  });
});
