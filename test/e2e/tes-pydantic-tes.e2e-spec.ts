/** pydantic-tes, the client of Galaxy's Pulsar: it refuses answers that are not of the specification's form. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importAlpineImage } from '../support/alpine-image.js';
import { Grid } from '../support/grid.js';
import { baseUrl, type Credentials, TesClients } from '../support/tes-clients.js';

let grid: Grid;
let clients: TesClients;
let url: string;
let key: string;

beforeAll(async () => {
  grid = await Grid.start();
  url = await baseUrl(grid.api.app);
  key = await grid.api.makeKey({ role: 'submitter' });
  await importAlpineImage(grid.docker);
  await grid.startWorker('node-a');
  const directory = join(grid.inputs, 'client');
  mkdirSync(directory);
  clients = TesClients.install(directory);
}, 900_000);
afterAll(() => grid.stop());

/** It asks below `v1/` of what it is told: both of Porin's paths are good. */
const PATHS = ['/', '/ga4gh/tes/'] as const;
const as = (path: string): Credentials => ({ TES_URL: `${url}${path}`, TES_USER: 'galaxy', TES_PASSWORD: key });
const ask = <Answer>(path: string, command: string, ...given: readonly unknown[]) =>
  clients.ask('pydantic_tes', as(path), command, ...given) as Promise<Answer>;

/** As Pulsar makes them: one that brings the inputs, the tool, which waits for them, and one that takes the outputs away. */
const STAGING = '/pulsar_staging/';
const executors = [
  `mkdir -p ${STAGING}1; echo brought > ${STAGING}1/input; echo brought`,
  `cd ${STAGING}1; while [ ! -e input ]; do sleep 1; done; tr a-z A-Z < input > output; echo ran`,
  `cat ${STAGING}1/output >&2`,
].map((script) => ({ image: 'alpine', command: ['sh', '-c', script], workdir: '/' }));

describe.each(PATHS)('pydantic-tes that is pointed at %s', (path) => {
  it('reads what the service is', async () => {
    expect(await ask(path, 'service_info')).toMatchObject({
      organization: { name: 'Porin', url: 'https://porin.invalid/' },
      type: { group: 'org.ga4gh', artifact: 'tes', version: '1.1.0' },
    });
  });

  it('runs the executors of a task one after another, which share a volume', async () => {
    const task = { name: 'pulsar-1', executors, volumes: [STAGING], resources: { cpu_cores: 1 } };
    const id = await ask<string>(path, 'create', task);
    expect(await ask(path, 'wait', id)).toMatchObject({ id, name: 'pulsar-1', state: 'COMPLETE', executors });
    expect(await grid.log(id)).toBe('brought\n');
    const { logs } = (await grid.api.get(key, `/v1/tasks/${id}?view=FULL`).expect(200)).body;
    expect(logs[0].logs).toMatchObject([
      { exit_code: 0, stdout: 'brought\n' },
      { exit_code: 0, stdout: 'ran\n' },
      { exit_code: 0, stderr: 'BROUGHT\n' },
    ]);
  });

  it('reads that one of them failed', async () => {
    const failing = { image: 'alpine', command: ['sh', '-c', 'exit 4'] };
    const id = await ask<string>(path, 'create', { name: 'pulsar-2', executors: [failing, ...executors] });
    expect(await ask(path, 'wait', id)).toMatchObject({ state: 'EXECUTOR_ERROR' });
  });

  it('cancels a task', async () => {
    const id = await ask<string>(path, 'create', {
      name: 'pulsar-3',
      executors: [{ image: 'alpine', command: ['sleep', '600'] }],
    });
    await grid.waitFor(id, 'RUNNING');
    expect(await ask(path, 'cancel', id)).toMatchObject({ id, state: 'CANCELED' });
    expect((await ask<string[]>(path, 'list_states')).slice(0, 2)).toEqual(['CANCELED', 'EXECUTOR_ERROR']);
  });

  it('is told which member cannot be had', async () => {
    const outputs = [{ url: 'file:///out/a', path: 'a', type: 'FILE' }];
    await expect(ask(path, 'create', { executors, outputs })).rejects.toThrow(
      /Plain text response is '.*outputs\.0\.path: /s,
    );
  });
});
