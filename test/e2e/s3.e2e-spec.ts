/** Jobs whose inputs and outputs lie in a bucket that anyone may read, and in one that a secret opens. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { eventually } from '../support/eventually.js';
import { foundIn } from '../support/find-text.js';
import { Grid, type TestWorker } from '../support/grid.js';
import { expectNowhere, inspectContainer } from '../support/nowhere.js';
import { S3_START_MS, S3Server } from '../../scripts/services/s3-server.js';

const NODE = 'node-a';
let grid: Grid;
let server: S3Server;
/** Before the bucket of the secret. */
let proxy: CuttingProxy;
let isAway = (_connection: number) => false;
let settings: Record<string, string>;
let keyDirectory: string;
const workers: [string, TestWorker][] = [];

beforeAll(async () => {
  server = await S3Server.start();
  proxy = await CuttingProxy.start(server.port, (connection) => (isAway(connection) ? { sent: 1 } : null));
  for (const bucket of ['lab', 'own']) server.makeBucket(bucket);
  await server.openToAll('lab');
  keyDirectory = mkdtempSync(join(tmpdir(), 'porin-s3-key-'));
  const keyFile = join(keyDirectory, 'secrets-key');
  writeFileSync(keyFile, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  const inputs = { PORIN_INPUT_URL_PREFIXES: 's3://lab/in/,s3://own/' };
  const outputs = 's3://lab/out/,s3://own/';
  grid = await Grid.start({
    ...inputs,
    PORIN_OUTPUT_URL_PREFIXES: `file:///,${outputs}`,
    PORIN_SECRETS_KEY_FILE: keyFile,
  });
  settings = {
    ...inputs,
    PORIN_OUTPUT_URL_PREFIXES: `${pathToFileURL(grid.outputs).href}/,${outputs}`,
    PORIN_S3_ENDPOINTS: JSON.stringify([server.endpoint('s3://lab/'), server.endpoint('s3://own/', proxy.port)]),
    PORIN_LEASE_MS: '3000',
    PORIN_LOG_LEVEL: 'trace',
  };
  await startWorker();
  await grid.http('put', '/api/v1/secrets/own').send(server.credential('s3://own/')).expect(200);
}, S3_START_MS);
afterEach(() => {
  isAway = () => false;
  proxy.release();
});
afterAll(async () => {
  await grid.stop();
  await proxy.stop();
  await server.stop();
  rmSync(keyDirectory, { recursive: true });
});

async function startWorker(): Promise<void> {
  workers.push([NODE, await grid.startWorker(NODE, settings)]);
}
const killWorker = () => workers.at(-1)?.[1].end('SIGKILL');

describe('a job of a bucket that anyone may read', () => {
  it('reads its input', async () => {
    server.write('lab', 'in/a', 'of the lab\n');
    const job = await grid.run('cat /in/a /in/a > /out/a', {
      inputs: [{ url: 's3://lab/in/a', path: '/in/a' }],
      outputs: [grid.output('a')],
    });
    expect(job).toMatchObject({ state: 'COMPLETE', errorMessage: null });
    expect(grid.published('a')).toBe('of the lab\nof the lab\n');
  });

  it('is told that its output needs a credential, and leaves no upload', async () => {
    const job = await grid.run('echo x > /out/a', { outputs: [{ url: 's3://lab/out/a', path: '/out/a' }] });
    expect(job.errorMessage).toContain('the job has no S3 credential for this URL');
    expect([job.errorCode, server.list('lab'), server.uploads('lab')]).toEqual(['output-refused', ['in/a'], []]);
  });

  it('may name an object that does not exist, and says so when it is staged', async () => {
    const job = await grid.run('true', { inputs: [{ url: 's3://lab/in/missing', path: '/in/a' }] });
    expect(job.errorCode).toBe('input-not-found');
  });

  it('may not name another bucket', async () => {
    const request = grid.script('true', { inputs: [{ url: 's3://other/in/a', path: '/in/a' }] });
    const { body } = await grid.http('post', '/api/v1/jobs', 'submitter').send(request).expect(403);
    expect(body).toMatchObject({ code: 'input-not-allowed' });
  });
});

describe('a job of a bucket that a secret opens', () => {
  const output = (name: string) => ({ url: `s3://own/out/${name}`, path: `/out/${name}` });
  const request = (...names: string[]) => ({ outputs: names.map(output), secrets: ['own'] });
  const isHeld = () => eventually(() => Promise.resolve(expect(proxy.held).toBeGreaterThan(0)));
  const cancel = (id: string) => grid.http('post', `/api/v1/jobs/${id}/cancel`).expect(200);
  const leavesNothing = () =>
    eventually(async () => {
      expect(server.uploads('own')).toEqual([]);
      expect(readdirSync(join(grid.workDirectory(NODE), `send-${NODE}`))).toEqual([]);
      const { rows } = await grid.api.owner.query('SELECT FROM attempt WHERE staging_token IS NOT NULL');
      expect(rows).toEqual([]);
    });

  it('is published by the next process of a worker that was killed past the commit point, and its key is found nowhere', async () => {
    server.write('own', 'in/a', 'of our own\n');
    const inputs = [{ url: 's3://own/in/a', path: '/in/a' }];
    const running = await grid.submit('env; cat /proc/self/environ; sleep 3600', { inputs, secrets: ['own'] });
    const inspected = await eventually(() => inspectContainer(grid, running));
    expect(inspected).toContain(running);
    expect(foundIn(inspected, [server.secretAccessKey])).toEqual([]);
    await cancel(running);
    await grid.waitFor(running, 'CANCELED');

    // The input, the upload is begun, and its part: then the parts are listed, and it is completed.
    proxy.holdAfter(3);
    const id = await grid.submit('cat /in/a > /out/a', { ...request('a'), inputs });
    await isHeld();
    expect((await grid.job(id)).attempts).toMatchObject([{ state: 'PUBLISHING' }]);
    await expectNowhere([server.secretAccessKey], { grid, workers, jobs: [running, id] });
    await killWorker();
    proxy.release();
    await startWorker();
    const job = await grid.waitFor(id, 'COMPLETE');
    expect(job.attempts.map(({ state }) => state)).toEqual(['LOST', 'COMPLETE']);
    expect([job.runs.length, server.read('own', 'out/a')?.toString()]).toEqual([1, 'of our own\n']);
    await leavesNothing();
    await expectNowhere([server.secretAccessKey], { grid, workers, jobs: [running, id] });
  });

  it('leaves no upload when it is canceled while it sends', async () => {
    proxy.holdAfter(1);
    const id = await grid.submit('echo x > /out/canceled', request('canceled'));
    await isHeld();
    expect(server.uploads('own')).toHaveLength(1);
    await cancel(id);
    proxy.release();
    await grid.waitFor(id, 'CANCELED');
    await leavesNothing();
  });

  it('leaves none when another output is missing', async () => {
    const job = await grid.run('echo x > /out/first', request('first', 'second'));
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'output-missing' });
    await leavesNothing();
    expect(server.read('own', 'out/first')).toBeUndefined();
  });

  it('nor where the bucket is away when its upload is to be aborted, once it is back', async () => {
    const begun = proxy.connections + 2;
    isAway = (connection) => connection > begun;
    const job = await grid.run('echo x > /out/first', request('first', 'second'));
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'output-missing' });
    expect(server.uploads('own')).toHaveLength(1);
    isAway = () => false;
    await leavesNothing();
    await expectNowhere([server.secretAccessKey], { grid, workers, jobs: [job.id] });
  });

  it('nor where its worker was killed while it sent, and no attempt comes after', async () => {
    proxy.holdAfter(1);
    const id = await grid.submit('echo x > /out/killed', request('killed'));
    await isHeld();
    await killWorker();
    await cancel(id);
    await grid.waitFor(id, 'CANCELED');
    proxy.release();
    expect(server.uploads('own')).toHaveLength(1);
    await startWorker();
    await leavesNothing();
    expect((await grid.api.owner.query('SELECT FROM sealed_secret')).rows).toEqual([]);
  });
});
