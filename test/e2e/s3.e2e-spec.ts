/** A job whose input and output lie in a bucket that anyone may read. */
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Grid } from '../support/grid.js';
import { S3_START_MS, S3Server } from '../../scripts/services/s3-server.js';

let grid: Grid;
let server: S3Server;

beforeAll(async () => {
  server = await S3Server.start();
  server.makeBucket('lab');
  await server.openToAll('lab');
  const inputs = { PORIN_INPUT_URL_PREFIXES: 's3://lab/in/' };
  grid = await Grid.start({ ...inputs, PORIN_OUTPUT_URL_PREFIXES: 'file:///,s3://lab/out/' });
  await grid.startWorker('node-a', {
    ...inputs,
    PORIN_OUTPUT_URL_PREFIXES: `${pathToFileURL(grid.outputs).href}/,s3://lab/out/`,
    PORIN_S3_ENDPOINTS: JSON.stringify([server.endpoint('s3://lab/')]),
  });
}, S3_START_MS);
afterAll(async () => {
  await grid.stop();
  await server.stop();
});

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
