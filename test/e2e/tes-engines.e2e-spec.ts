/** The requests of Nextflow, Toil and Sprocket, whose own programs the tests cannot run. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildWorkflowImage } from '../../scripts/images/workflow-image.js';
import { CACHE_DIR } from '../../scripts/setup/paths.js';
import { importAlpineImage } from '../support/alpine-image.js';
import { eventually } from '../support/eventually.js';
import { Grid } from '../support/grid.js';
import { TesClients } from '../support/tes-clients.js';

let grid: Grid;
let key: string;
let image: string;
/** Below which engines keep their files: inputs come from there, and outputs go there. */
let shared: string;

beforeAll(async () => {
  grid = await Grid.start();
  key = await grid.api.makeKey({ role: 'submitter' });
  await importAlpineImage(grid.docker);
  shared = join(grid.outputs, 'shared');
  mkdirSync(shared);
  const { environment } = TesClients.install(shared);
  image = (await buildWorkflowImage({ docker: grid.docker, cacheDir: CACHE_DIR, log: console.log }, environment))
    .reference;
  const prefix = `${pathToFileURL(shared).href}/`;
  await grid.startWorker('node-a', { PORIN_INPUT_URL_PREFIXES: prefix, PORIN_OUTPUT_URL_PREFIXES: prefix });
}, 900_000);
afterAll(() => grid.stop());

const UNFINISHED = ['UNKNOWN', 'QUEUED', 'INITIALIZING', 'RUNNING', 'PAUSED', 'CANCELING'];
const http = () => supertest(grid.api.app.getHttpServer());
const create = async (base: string, authorization: string, task: object): Promise<string> =>
  (await http().post(`${base}/tasks`).set('Authorization', authorization).send(task).expect(200)).body.id;
const ended = async (id: string) => {
  await eventually(async () => {
    expect(UNFINISHED).not.toContain((await grid.api.get(key, `/v1/tasks/${id}`)).body.state);
  });
  return (await grid.api.get(key, `/v1/tasks/${id}?view=FULL`).expect(200)).body;
};

describe('Nextflow (nf-ga4gh)', () => {
  /** In the container. */
  const WORK = '/work';
  const authorization = () => `Basic ${Buffer.from(`any:${key}`).toString('base64')}`;

  /** A process in its work directory, with the wrapper that Nextflow writes beside the script. */
  function processIn(name: string, script: string): { readonly directory: string; readonly task: object } {
    const directory = join(shared, 'work', name);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, '.command.sh'), script);
    writeFileSync(
      join(directory, '.command.run'),
      `cd ${WORK}; bash -ue .command.sh > .command.out 2> .command.err; code=$?; printf $code > .exitcode; exit $code\n`,
    );
    writeFileSync(join(directory, 'reads.txt'), 'four words of input\n');
    const input = (file: string) => ({ path: `${WORK}/${file}`, url: join(directory, file), type: 'FILE' });
    const output = (file: string, type?: string) => ({ path: `${WORK}/${file}`, url: join(directory, file), type });
    const command = ['bash', '-o', 'pipefail', '-c', `bash ${WORK}/.command.run 2>&1 | tee ${WORK}/.command.log`];
    const task = {
      name: `${name} (1)`,
      executors: [{ image, command, workdir: WORK, env: null, stdin: null, stdout: null }],
      inputs: ['.command.sh', '.command.run', 'reads.txt'].map(input),
      outputs: [
        ...['.command.out', '.command.err', '.command.log', '.exitcode'].map((file) => output(file)),
        output('count.txt', 'FILE'),
      ],
      resources: { cpu_cores: 1, ram_gb: null, disk_gb: null, preemptible: null, zones: null },
      tags: null,
      volumes: null,
    };
    return { directory, task };
  }

  it('asks what the service is beside the base path', async () => {
    await http().get('/service-info').set('Authorization', authorization()).expect(200);
  });

  it('finds what a process wrote and its control files where it looks for them', async () => {
    const { directory, task } = processIn('count', 'wc -w < reads.txt > count.txt; echo said; echo told >&2');
    const { state, logs } = await ended(await create('/v1', authorization(), task));
    expect([state, logs[0].logs[0].exit_code]).toEqual(['COMPLETE', 0]);
    const read = (file: string) => readFileSync(join(directory, file), 'utf8');
    expect(['.command.out', '.command.err', '.exitcode', 'count.txt'].map(read)).toEqual([
      'said\n',
      'told\n',
      '0',
      '4\n',
    ]);
    expect(logs[0].outputs.map(({ url }: { url: string }) => url)).toContain(join(directory, 'count.txt'));
  });

  it('finds the exit code and the output of a process that failed', async () => {
    const { directory, task } = processIn('fail', 'echo why >&2; exit 3');
    const { state, logs } = await ended(await create('/v1', authorization(), task));
    expect([state, logs[0].logs[0].exit_code]).toEqual(['EXECUTOR_ERROR', 3]);
    const read = (file: string) => readFileSync(join(directory, file), 'utf8');
    expect(['.command.err', '.exitcode'].map(read)).toEqual(['why\n', '3']);
    expect(readdirSync(directory)).not.toContain('count.txt');
  });
});

describe('Toil (toil-batch-system-tes)', () => {
  const task = (script: string, preemptible: boolean) => ({
    name: "'HelloWorld' kind-HelloWorld/instance-0a1b v1",
    executors: [
      { image: 'alpine', command: ['sh', '-c', script], env: { TOIL_WORKDIR: '/tmp', TOIL_RT_LOGGING_LEVEL: '' } },
    ],
    inputs: [],
    resources: { cpu_cores: 1, ram_gb: 0.25, disk_gb: 1.86, preemptible },
  });

  it('learns exit code, times and what the last executor said', async () => {
    const id = await create('/ga4gh/tes/v1', `Bearer ${key}`, task('cd $TOIL_WORKDIR; pwd >&2; exit 5', false));
    const { state, logs, resources } = await ended(id);
    expect([state, logs.length, logs[0].logs[0]]).toMatchObject([
      'EXECUTOR_ERROR',
      1,
      { exit_code: 5, stderr: '/tmp\n' },
    ]);
    expect(Date.parse(logs[0].end_time)).toBeGreaterThan(Date.parse(logs[0].start_time));
    expect(resources).toMatchObject({ ram_gb: 0.25, disk_gb: 1.86, preemptible: false });
    expect(logs[0].system_logs.join()).not.toContain('preemptible');
  });

  it('may ask for a node that can be taken away, and cancel what has ended', async () => {
    const id = await create('/ga4gh/tes/v1', `Bearer ${key}`, task('true', true));
    expect((await ended(id)).logs[0].system_logs[0]).toContain('preemptible is ignored');
    await grid.api.post(key, `/ga4gh/tes/v1/tasks/${id}:cancel`).expect(200, {});
  });
});

describe('Sprocket (crankshaft)', () => {
  const GROUP = 'crankshaft-task-group';
  const task = (group: string, script: string, name: string = randomUUID()) => ({
    name,
    executors: [
      {
        image: 'alpine',
        command: ['sh', '/mnt/task/command'],
        workdir: '/mnt/task/work',
        stdout: '/mnt/task/stdout',
        stderr: '/mnt/task/stderr',
        ignore_error: true,
      },
    ],
    inputs: [{ content: script, path: '/mnt/task/command', type: 'FILE' }],
    outputs: ['work', 'stdout', 'stderr'].map((file) => ({
      url: `${pathToFileURL(shared).href}/${group}/${name}/${file}`,
      path: `/mnt/task/${file}`,
      type: file === 'work' ? 'DIRECTORY' : 'FILE',
    })),
    tags: { [GROUP]: group },
  });
  /** Page after page, as often as it takes until none of the group is on its way. */
  async function poll(group: string, count: number): Promise<readonly string[]> {
    let found: { id: string; state: string }[] = [];
    await eventually(async () => {
      found = [];
      for (let token = ''; ;) {
        const query = `tag_key=${GROUP}&tag_value=${group}&page_size=2047&view=MINIMAL${token && `&page_token=${token}`}`;
        const { body } = await grid.api.get(key, `/ga4gh/tes/v1/tasks?${query}`).expect(200);
        found.push(...body.tasks);
        if (!body.next_page_token) break;
        token = body.next_page_token;
      }
      expect(found).toHaveLength(count);
      expect(found.filter(({ state }) => UNFINISHED.includes(state))).toEqual([]);
    });
    return found.map(({ id }) => id);
  }

  it('polls its tasks by their tag until all have ended, and reads the exit codes of the last log', async () => {
    const [group, other] = [randomUUID(), randomUUID()];
    const scripts = ['exit 0', 'exit 1', 'exit 2', 'echo said; sleep 1'];
    const ids: string[] = [];
    for (const script of scripts) ids.push(await create('/ga4gh/tes/v1', `Bearer ${key}`, task(group, script)));
    await create('/ga4gh/tes/v1', `Bearer ${key}`, task(other, 'true'));
    expect((await poll(group, scripts.length)).toSorted()).toEqual(ids.toSorted());
    const codes = ids.map(async (id) => {
      const { body } = await grid.api.get(key, `/ga4gh/tes/v1/tasks/${id}?view=FULL`).expect(200);
      expect(body.state).toBe('COMPLETE');
      const log = body.logs.at(-1);
      expect(log.outputs.map(({ size_bytes }: { size_bytes: string }) => size_bytes)).toContain('0');
      return log.logs.map(({ exit_code }: { exit_code: number }) => exit_code);
    });
    expect(await Promise.all(codes)).toEqual([[0], [1], [2], [0]]);
    await poll(other, 1);
  });

  it('finds all of the working directory, and what was printed, where it looks for them', async () => {
    const group = randomUUID();
    const script = 'pwd; echo made > made; mkdir -p deep/er; echo told > deep/er/file; echo why >&2';
    const { state, logs } = await ended(await create('/ga4gh/tes/v1', `Bearer ${key}`, task(group, script, 'whole')));
    expect([state, logs[0].logs[0].exit_code]).toEqual(['COMPLETE', 0]);
    const directory = join(shared, group, 'whole');
    const files = ['stderr', 'stdout', 'work/deep/er/file', 'work/made'];
    expect(files.map((file) => readFileSync(join(directory, file), 'utf8'))).toEqual([
      ...['why\n', '/mnt/task/work\n', 'told\n', 'made\n'],
    ]);
    const told = logs[0].outputs.map(({ url }: { url: string }) => url);
    expect(told).toEqual(files.map((file) => `${pathToFileURL(directory).href}/${file}`));
  });

  it('cancels with a body of null', async () => {
    const id = await create('/ga4gh/tes/v1', `Bearer ${key}`, task(randomUUID(), 'sleep 600'));
    const cancel = http().post(`/ga4gh/tes/v1/tasks/${id}:cancel`).set('Authorization', `Bearer ${key}`);
    await cancel.set('Content-Type', 'application/json').send('null').expect(200, {});
    expect((await ended(id)).state).toBe('CANCELED');
  });
});
