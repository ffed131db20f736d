/** How far the transfers of a job are, as its submitter sees it, and what all of its inputs may have together. */
import { readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Grid } from '../support/grid.js';
import { HttpServer } from '../support/http-server.js';

const BYTES = 3_000_000;
const SENT_BYTES = 1_000_000;
const CONTENT = Buffer.alloc(BYTES, 'EDF+ ');

let grid: Grid;
let server: HttpServer;
/** Lets the server send the rest, or answer to what it was sent. */
let goOn: () => void;

beforeAll(async () => {
  server = await HttpServer.start({
    '/in/slow': (_request, response) => {
      response.writeHead(200, { 'content-length': BYTES });
      response.write(CONTENT.subarray(0, SENT_BYTES));
      goOn = () => response.end(CONTENT.subarray(SENT_BYTES));
    },
    '/in/a': (_request, response) => response.end(CONTENT),
    '/out/a': (request, response) => {
      request.resume();
      goOn = () => response.writeHead(201).end();
    },
  });
  const [inputs, outputs] = [server.url('/in/'), server.url('/out/')];
  grid = await Grid.start({ PORIN_INPUT_URL_PREFIXES: inputs, PORIN_OUTPUT_URL_PREFIXES: `file:///,${outputs}` });
  await grid.startWorker('node-a', {
    PORIN_INPUT_URL_PREFIXES: inputs,
    PORIN_OUTPUT_URL_PREFIXES: `${pathToFileURL(grid.outputs).href}/,${outputs}`,
    PORIN_ALLOW_PRIVATE_ADDRESSES: 'true',
    PORIN_JOB_INPUTS_LIMIT_BYTES: String(2 * BYTES),
    PORIN_LEASE_MS: '6000',
  });
});
afterAll(async () => {
  await grid.stop();
  await server.stop();
});

async function systemLogs(id: string): Promise<string[]> {
  const { body } = await grid.http('get', `/ga4gh/tes/v1/tasks/${id}?view=FULL`).expect(200);
  return (body as { logs: { system_logs: string[] }[] }).logs[0]?.system_logs ?? [];
}

it('is told of the inputs while they are staged, and of the outputs while they are put in place', async () => {
  const id = await grid.submit('echo out > /out/a; cat /in/b > /out/b', {
    inputs: [
      { content: 'of the job', path: '/in/b' },
      { url: server.url('/in/slow'), path: '/in/slow' },
    ],
    outputs: [{ url: server.url('/out/a'), path: '/out/a' }, grid.output('b')],
  });
  const progress = async () => (await grid.job(id)).progress;
  const bytesDone = SENT_BYTES + 10;
  await eventually(async () =>
    expect(await progress()).toEqual({ phase: 'staging', done: 1, total: 2, bytesDone, bytesTotal: BYTES + 10 }),
  );
  expect(await systemLogs(id)).toContain(`Staging: 1 of 2 inputs, ${bytesDone} of ${BYTES + 10} bytes.`);
  goOn();
  const publishing = { phase: 'publishing', done: 0, total: 2, bytesDone: 0, bytesTotal: 14 };
  await eventually(async () => expect(await progress()).toEqual(publishing));
  expect(await systemLogs(id)).toContain('Publishing: 0 of 2 files, 0 of 14 bytes.');
  await eventually(() => Promise.resolve(expect(server.requests.at(-1)?.url).toBe('/out/a')));
  goOn();
  expect(await grid.waitFor(id, 'COMPLETE')).toMatchObject({ progress: null });
});

it('ends a job whose inputs have too many bytes together, at once and for good', async () => {
  const job = await grid.run('true', {
    inputs: [1, 2, 3].map((place) => ({ url: server.url('/in/a'), path: `/in/${place}` })),
  });
  expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'inputs-too-large', progress: null });
  expect(job.errorMessage).toContain(`${3 * BYTES} bytes together, and all inputs of a job may have ${2 * BYTES}`);
  expect(job.attempts.map(({ number }) => number)).toEqual([1]);
  const left = readdirSync(grid.workDirectory('node-a'), { recursive: true, encoding: 'utf8' });
  expect(left.filter((name) => name.includes(job.id))).toEqual([]);
});
