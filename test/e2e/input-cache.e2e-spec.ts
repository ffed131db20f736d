/** An input that a node fetches for one job, and has for the next: what the jobs say of it, and what their payloads cannot do to it. */
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Grid, type JobView } from '../support/grid.js';
import { HttpServer } from '../support/http-server.js';
import { sha256 } from '../support/staging.js';

const CONTENT = 'of the archive\n'.repeat(100_000);
const NODE = 'keeper';

let grid: Grid;
let server: HttpServer;
let settings: Record<string, string>;
let bodies = 0;

beforeAll(async () => {
  server = await HttpServer.start({
    '/data/a': (request, response) => {
      response.setHeader('etag', '"1"');
      if (request.headers['if-none-match'] === '"1"') return void response.writeHead(304).end();
      bodies += 1;
      response.end(CONTENT);
    },
  });
  const inputs = { PORIN_INPUT_URL_PREFIXES: `${server.url('/data')},file:///` };
  grid = await Grid.start(inputs);
  settings = {
    PORIN_INPUT_URL_PREFIXES: `${server.url('/data')},${pathToFileURL(grid.inputs).href}/`,
    PORIN_ALLOW_PRIVATE_ADDRESSES: 'true',
    PORIN_SLOTS: '2',
    PORIN_DISK_BYTES: String(4 * 1024 ** 3),
  };
  await grid.startWorker(NODE, settings);
});
afterAll(async () => {
  await grid.stop();
  await server.stop();
});

const input = () => ({ url: server.url('/data/a'), path: '/in/a' });
const cachedInputs = ({ attempts }: JobView) =>
  attempts.map((attempt) => (attempt as Record<string, unknown>).cachedInputs);
const HIT = [[{ path: '/in/a', bytes: CONTENT.length }]];
/** Tries everything that could change the input, and says what is in it. */
const HOSTILE = [
  'echo changed > /in/a; echo more >> /in/a; chmod 777 /in/a; rm -f /in/a; mv /in/a /in/b; ln /in/a /tmp/a; touch /in/a',
  '(: > /in/a); dd if=/dev/zero of=/in/a conv=notrunc; sha256sum < /in/a',
].join('; ');

it('is fetched once, and a job says that it did not fetch it', async () => {
  writeFileSync(join(grid.inputs, 'own'), 'x');
  const own = { url: pathToFileURL(join(grid.inputs, 'own')).href, path: '/in/own' };
  const first = await grid.run('cat /in/a > /dev/null', { inputs: [own, input()] });
  expect([first.state, bodies, cachedInputs(first)]).toEqual(['COMPLETE', 1, [[]]]);
  const second = await grid.run('sha256sum < /in/a', { inputs: [own, input()] });
  expect([second.state, bodies, cachedInputs(second)]).toEqual(['COMPLETE', 1, HIT]);
  expect(await grid.log(second.id)).toContain(sha256(CONTENT));
  const { body } = await grid.http('get', `/ga4gh/tes/v1/tasks/${second.id}?view=BASIC`).expect(200);
  expect((body as { logs: { metadata: object }[] }).logs[0]?.metadata).toMatchObject({
    input_cache_hits: '1',
    input_cache_bytes: String(CONTENT.length),
  });
});

it('is not asked for where the job names its digest', async () => {
  const asked = server.requests.length;
  const job = await grid.run('true', { inputs: [{ ...input(), sha256: sha256(CONTENT) }] });
  expect([job.state, server.requests.length - asked, cachedInputs(job)]).toEqual(['COMPLETE', 0, HIT]);
});

it('is what it was after a payload that tried to change it', async () => {
  const hostile = await grid.run(HOSTILE, { inputs: [input()] });
  expect(cachedInputs(hostile)).toEqual(HIT);
  expect(await grid.log(hostile.id)).toContain(sha256(CONTENT));
  const after = await grid.run('sha256sum < /in/a', { inputs: [input()] });
  expect([bodies, cachedInputs(after)]).toEqual([1, HIT]);
  expect(await grid.log(after.id)).toContain(sha256(CONTENT));
});

it('is there for two jobs at once, each of which has a file of its own', async () => {
  const inode = 'ls -i /in/a';
  const running = await grid.submit(`${inode}; sleep 1000`, { inputs: [input()] });
  await eventually(async () => expect(await grid.log(running)).toMatch(/\d+ \/in\/a\n$/));
  const beside = await grid.run(inode, { inputs: [input()] });
  expect([beside.state, cachedInputs(beside), bodies]).toEqual(['COMPLETE', HIT, 1]);
  expect(await grid.log(beside.id)).toMatch(/\d+ \/in\/a\n$/);
  expect(await grid.log(beside.id)).not.toBe(await grid.log(running));
  await grid.http('post', `/api/v1/jobs/${running}/cancel`, 'submitter').expect(200);
  await grid.waitFor(running, 'CANCELED');
});

it('is still there when the worker was started again, and gone when it is to keep nothing', async () => {
  await grid.stopWorkers();
  const directory = join(grid.workDirectory(NODE), `inputs-${NODE}`);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  mkdirSync(join(directory, 'half'));
  await grid.startWorker(NODE, settings);
  expect(cachedInputs(await grid.run('true', { inputs: [input()] }))).toEqual(HIT);
  await grid.stopWorkers();
  await grid.startWorker(NODE, { ...settings, PORIN_INPUT_CACHE_BYTES: '0' });
  expect(readdirSync(directory)).toEqual([]);
  expect(cachedInputs(await grid.run('true', { inputs: [input()] }))).toEqual([[]]);
  expect(bodies).toBe(2);
});
