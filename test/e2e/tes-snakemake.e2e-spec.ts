/** Snakemake 7.32 with `--tes`: each job of a workflow is a task, which runs Snakemake again in its container. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildWorkflowImage } from '../../scripts/images/workflow-image.js';
import { CACHE_DIR } from '../../scripts/setup/paths.js';
import { Grid } from '../support/grid.js';
import { baseUrl, TesClients } from '../support/tes-clients.js';

const WORKFLOW = 'test/fixtures/snakemake';

let grid: Grid;
let clients: TesClients;
let url: string;
let key: string;
let image: string;
/** Of the workflow: inputs come from there, and outputs go there. */
let directory: string;

beforeAll(async () => {
  grid = await Grid.start();
  url = await baseUrl(grid.api.app);
  key = await grid.api.makeKey({ role: 'submitter' });
  directory = join(grid.outputs, 'workflow');
  cpSync(WORKFLOW, directory, { recursive: true });
  clients = TesClients.install(directory);
  const options = { docker: grid.docker, cacheDir: CACHE_DIR, log: console.log };
  image = (await buildWorkflowImage(options, clients.environment)).reference;
  const prefix = `${pathToFileURL(directory).href}/`;
  await grid.startWorker('node-a', { PORIN_INPUT_URL_PREFIXES: prefix, PORIN_OUTPUT_URL_PREFIXES: prefix });
}, 900_000);
afterAll(() => grid.stop());

const snakemake = (variables: Readonly<Record<string, string>>, ...parameters: string[]) =>
  clients.run('snakemake', ['--tes', url, '--container-image', image, '--jobs', '4', '--nocolor', ...parameters], {
    variables,
  });
const jobs = async () =>
  (await grid.api.owner.query('SELECT name, state, cpu_milli, memory_bytes::float8 AS bytes FROM job ORDER BY name'))
    .rows;

describe('Snakemake', () => {
  it('says what the API answered where it has no key', async () => {
    const { exitCode, stderr } = await snakemake({});
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('401 Client Error: Unauthorized')]);
    expect(await jobs()).toEqual([]);
  });

  it('runs a workflow whose rules follow one another, with files, logs, a script and resources', async () => {
    const { exitCode, stderr } = await snakemake({ TES_TOKEN: key });
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain('5 of 5 steps (100%) done');
    const read = (file: string) => readFileSync(join(directory, file), 'utf8');
    expect([read('report.txt'), read('logs/north.log')]).toEqual(['9 words\n', 'counting north\n']);
    const count = { name: expect.stringContaining('count'), state: 'COMPLETE', cpu_milli: 1000, bytes: 1024 ** 3 };
    expect(await jobs()).toEqual([
      ...[count, count],
      { ...count, name: expect.stringContaining('report') },
      { ...count, name: expect.stringContaining('total') },
    ]);
  });

  it('finds nothing to do a second time', async () => {
    const { exitCode, stderr } = await snakemake({ TES_TOKEN: key });
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('Nothing to be done')]);
    expect(await jobs()).toHaveLength(4);
  });

  it('takes the key for a password, and fails with a rule that fails', async () => {
    const basic = { FUNNEL_SERVER_USER: 'any', FUNNEL_SERVER_PASSWORD: key };
    const { exitCode, stderr } = await snakemake(basic, 'never.txt');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('[TES] Task errored')]);
    const states = (await jobs()).map(({ state }) => state as string);
    expect(states.toSorted()).toEqual([...Array<string>(4).fill('COMPLETE'), 'EXECUTOR_ERROR']);
  });
});
