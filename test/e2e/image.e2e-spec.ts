/** Which content of an image a job runs when its tag moves, and which images stay on the node. */
import { createPrivateKey, type KeyObject, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ImageKeeper } from '../../apps/worker/src/node/image-keeper.js';
import { NodeStore } from '../../apps/worker/src/node/node-store.js';
import { NodeDatabase } from '../../apps/worker/src/store/node-database.js';
import { eventually } from '../support/eventually.js';
import { imageSource, resolveWith, testEngine } from '../support/image-source.js';
import { Grid, type JobView, type TestWorker } from '../support/grid.js';
import { TestRegistry } from '../support/registry.js';

const NODE = 'images';
/** Goes on until a later attempt is given another word. */
const HELD = 'cat /content; while [ $(cat /in/word) = wait ]; do sleep 0.1; done';

let grid: Grid;
let registry: TestRegistry;
let database: NodeDatabase;
let key: KeyObject;
let workers: TestWorker[] = [];

async function worker(settings: Record<string, string> = {}): Promise<TestWorker> {
  const started = await grid.startWorker(NODE, { PORIN_SLOTS: '4', PORIN_CPU_MILLI: '2000', ...settings });
  workers.push(started);
  return started;
}

beforeAll(async () => {
  grid = await Grid.start();
  const node = await grid.node(NODE);
  database = new NodeDatabase({ url: node.PORIN_DATABASE_URL ?? '', logger: pino({ level: 'silent' }) });
  key = createPrivateKey({ key: Buffer.from(node.PORIN_NODE_KEY ?? '', 'base64'), format: 'der', type: 'pkcs8' });
  // The test is the node beside its worker.
  const { username } = new URL(node.PORIN_DATABASE_URL ?? '');
  await grid.api.owner.query(`ALTER ROLE ${username} CONNECTION LIMIT 6`);
});
beforeEach(async () => {
  registry = await TestRegistry.start(grid.docker);
});
afterEach(async () => {
  for (const running of workers) await running.stop();
  workers = [];
  await registry.stop();
});
afterAll(async () => {
  await database.end();
  await grid.stop();
});

const on = (image: string, script = 'cat /content') => ({
  executors: [{ image, command: ['/bin/sh', '-c', script] }],
  resources: { cpuMilli: 500 },
});

async function completed(image: string, script?: string): Promise<JobView> {
  const job = await grid.run('', on(image, script));
  expect(job).toMatchObject({ state: 'COMPLETE' });
  return job;
}

async function submitHeld(image: string): Promise<{ id: string; letGo: () => void }> {
  const word = join(grid.inputs, `word-${randomUUID()}`);
  writeFileSync(word, 'wait');
  const id = await grid.submit('', {
    ...on(image, HELD),
    inputs: [{ url: pathToFileURL(word).href, path: '/in/word' }],
  });
  return { id, letGo: () => writeFileSync(word, 'go') };
}

async function hasWritten(id: string, text: string): Promise<void> {
  await grid.waitFor(id, 'RUNNING');
  await eventually(async () => expect(await grid.log(id)).toBe(text));
}

async function storedDigest(id: string): Promise<string | null> {
  const { rows } = await grid.api.owner.query<{ digest: string | null }>(
    `SELECT executor.repository_digest AS digest FROM executor JOIN build ON build.id = build_id WHERE job_id = $1`,
    [id],
  );
  return rows[0]?.digest ?? null;
}

async function isHere(digest: string): Promise<boolean> {
  const images = await grid.docker.listImages({ digests: true });
  return images.some(({ RepoDigests }) => RepoDigests?.includes(digest));
}

describe('a job whose image is named by a tag', () => {
  it('runs at every attempt what the tag named at the first, and a later job runs the new content', async () => {
    const first = registry.push('tools/probe', '1', { content: 'first' });
    const tag = registry.reference('tools/probe:1');
    const mortal = await worker();
    const { id, letGo } = await submitHeld(tag);
    await hasWritten(id, 'first');
    expect(await storedDigest(id)).toBe(first);
    await mortal.end('SIGKILL');
    letGo();
    const second = registry.push('tools/probe', '1', { content: 'second' });
    await worker();
    const job = await grid.waitFor(id, 'COMPLETE');
    expect(job.attempts.map(({ state }) => state)).toEqual(['LOST', 'COMPLETE']);
    expect(await grid.log(id)).toBe('first');
    expect(await storedDigest(id)).toBe(first);

    const later = await completed(tag);
    expect(await grid.log(later.id)).toBe('second');
    expect(await storedDigest(later.id)).toBe(second);
    expect(new Set([...job.runs, ...later.runs].map(({ buildId }) => buildId)).size).toBe(2);
  });

  it('fetches that content again where the engine has lost it meanwhile', async () => {
    const first = registry.push('tools/probe', '1', { content: 'first' });
    const mortal = await worker();
    const { id, letGo } = await submitHeld(registry.reference('tools/probe:1'));
    await hasWritten(id, 'first');
    await mortal.end('SIGKILL');
    letGo();
    const left = await grid.docker.listContainers({ all: true, filters: { label: [`porin.job=${id}`] } });
    for (const { Id } of left) await grid.docker.getContainer(Id).remove({ force: true });
    await grid.docker.getImage(registry.reference('tools/probe:1')).remove();
    expect(await isHere(first)).toBe(false);
    registry.push('tools/probe', '1', { content: 'second' });
    await worker();
    await grid.waitFor(id, 'COMPLETE');
    expect(await grid.log(id)).toBe('first');
    expect(await isHere(first)).toBe(true);
  });

  it('runs what was stored first when another worker resolved the tag to another content', async () => {
    const first = registry.push('tools/probe', '1', { content: 'first' });
    const tag = registry.reference('tools/probe:1');
    await worker();
    const [earlier] = (await completed(tag)).runs;
    const second = registry.push('tools/probe', '1', { content: 'second' });
    const gate = registry.gate();
    const id = await grid.submit('', on(tag));
    await gate.reached;
    // What the worker would have found had it come later: it has claimed already, and nothing was stored then.
    await grid.api.owner.query('UPDATE executor SET build_id = $2, repository_digest = $3 WHERE job_id = $1', [
      id,
      earlier?.buildId,
      first,
    ]);
    gate.open();
    const job = await grid.waitFor(id, 'COMPLETE');
    expect(await isHere(second)).toBe(true);
    expect(await grid.log(id)).toBe('first');
    expect(job.runs).toMatchObject([{ buildId: earlier?.buildId }]);
    expect(await storedDigest(id)).toBe(first);
  });

  it('fails by name when there is no such tag, and when the image is for another architecture', async () => {
    await worker();
    registry.push('tools/foreign', '1', { content: '', architecture: process.arch === 'arm64' ? 'amd64' : 'arm64' });
    for (const [name, errorCode] of [
      ['tools/none:1', 'image-not-found'],
      ['tools/foreign:1', 'image-architecture'],
    ] as const) {
      const job = await grid.run('', on(registry.reference(name)));
      expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode, runs: [] });
    }
  });

  it('is tried again when the registry fails', async () => {
    registry.push('tools/probe', '1', { content: 'first' });
    const id = await grid.submit('', on(registry.reference('tools/probe:1')));
    registry.failure = 500;
    registry.fails = async () => (await grid.job(id)).attempts.every(({ state }) => state !== 'FAILED');
    await worker();
    const job = await grid.waitFor(id, 'COMPLETE');
    expect(job.attempts).toMatchObject([{ state: 'FAILED', errorCode: 'image-pull-failed' }, { state: 'COMPLETE' }]);
  });
});

describe('a job whose image is named by a digest', () => {
  it('runs that content, wherever the tags are, and needs no registry for what is here', async () => {
    const first = registry.push('tools/probe', '1', { content: 'first' });
    registry.push('tools/probe', '1', { content: 'second' });
    await worker();
    const job = await completed(first);
    expect(await grid.log(job.id)).toBe('first');
    expect(await storedDigest(job.id)).toBe(first);
    registry.failure = 500;
    expect((await completed(first)).runs).toMatchObject([{ buildId: job.runs[0]?.buildId }]);
  });
});

describe('the images of a node', () => {
  const pushed = (name: string): string => registry.push(`tools/${name}`, '1', { content: name });

  function keeper(keepCount: number): ImageKeeper {
    const store = new NodeStore(database, key);
    return new ImageKeeper({ engine: testEngine(), store, keepCount, logger: pino({ level: 'silent' }) });
  }

  it('are kept up to the count by their last use when a worker starts, and imported ones always', async () => {
    const [a, b, c, never] = [pushed('a'), pushed('b'), pushed('c'), pushed('never')];
    const before = await worker();
    for (const image of [grid.image, a, b, c, a]) await completed(image, 'true');
    await resolveWith(imageSource(testEngine()), never);
    await before.end('SIGTERM');
    expect([await isHere(a), await isHere(b), await isHere(c)]).toEqual([true, true, true]);
    await worker({ PORIN_IMAGE_KEEP_COUNT: '2' });
    await eventually(async () => expect(await isHere(b)).toBe(false));
    await workers.at(-1)?.end('SIGTERM');
    expect([await isHere(a), await isHere(c), await isHere(never)]).toEqual([true, true, true]);
    expect(await grid.docker.getImage(grid.image).inspect()).toMatchObject({ RepoTags: [grid.image] });
  });

  it('are pulled again when they are needed again', async () => {
    const [a, b] = [pushed('a'), pushed('b')];
    await worker();
    for (const name of ['tools/a:1', 'tools/b:1']) await completed(registry.reference(name));
    await keeper(1).clear();
    expect([await isHere(a), await isHere(b)]).toEqual([false, true]);
    const again = await completed(registry.reference('tools/a:1'));
    expect(await grid.log(again.id)).toBe('a');
    await keeper(1).clear();
    expect([await isHere(a), await isHere(b)]).toEqual([true, false]);
  });

  it('stay while an attempt runs them, or may be about to', async () => {
    const [a, b, c] = [pushed('a'), pushed('b'), pushed('c')];
    await worker();
    await completed(b);
    const held = await submitHeld(a);
    await hasWritten(held.id, 'a');
    const gate = registry.gate();
    const resolving = await grid.submit('', on(registry.reference('tools/b:1')));
    await gate.reached;
    await completed(grid.image, 'true');
    const store = new NodeStore(database, key);
    const uses = [a, b, c].map((digest) => store.usesAny([digest]));
    expect(await Promise.all(uses)).toEqual([true, true, false]);
    expect(await store.byLastUse([c, b, a])).toEqual([a, b]);
    await keeper(0).clear();
    expect([await isHere(a), await isHere(b)]).toEqual([true, true]);
    gate.open();
    await grid.waitFor(resolving, 'COMPLETE');
    await grid.http('post', `/api/v1/jobs/${held.id}/cancel`).expect(200);
    await grid.waitFor(held.id, 'CANCELED');
    await keeper(0).clear();
    expect([await isHere(a), await isHere(b)]).toEqual([false, false]);
  });
});
