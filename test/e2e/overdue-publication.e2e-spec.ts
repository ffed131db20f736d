/** A job whose node dies for good while it publishes, on a grid that waits for it for seconds. */
import { type ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Grid } from '../support/grid.js';
import { HttpServer } from '../support/http-server.js';

let grid: Grid;
let server: HttpServer;
const unanswered: ServerResponse[] = [];
let isAnswering = false;

beforeAll(async () => {
  server = await HttpServer.start({
    '/a': (request, response) => {
      request.resume();
      if (isAnswering) request.on('end', () => response.end());
      else unanswered.push(response);
    },
  });
  grid = await Grid.start({
    PORIN_OUTPUT_URL_PREFIXES: server.url('/'),
    PORIN_PUBLICATION_TIMEOUT_MS: '15000',
  });
});
afterAll(async () => {
  await grid.stop();
  await server.stop();
});

it('ends, though nobody can cancel it, and the next job that writes there is run', async () => {
  const settings = {
    PORIN_LEASE_MS: '3000',
    PORIN_ALLOW_PRIVATE_ADDRESSES: 'true',
    PORIN_OUTPUT_URL_PREFIXES: server.url('/'),
  };
  const worker = await grid.startWorker('dies', settings);
  const outputs = [{ url: server.url('/a'), path: '/out/a' }];
  const first = await grid.submit('echo x > /out/a', { outputs });
  const second = await grid.submit('echo y > /out/a', { outputs });
  await eventually(() => Promise.resolve(expect(unanswered).toHaveLength(1)));
  await worker.end('SIGKILL');
  await grid.http('post', `/api/v1/jobs/${first}/cancel`).expect(200);
  expect((await grid.job(second)).waitingReason).toBe('waiting-for-output');
  const job = await grid.waitFor(first, 'SYSTEM_ERROR');
  expect(job).toMatchObject({
    ...{ errorCode: 'publication-incomplete', waitingReason: null, cancelRequestedAt: null, failures: 1 },
    errorMessage: expect.stringMatching(
      /No node has put the rest in place within 15 s\. In place: (none|nothing)/,
    ) as string,
    outputs: [{ sha256: null }],
  });
  await eventually(async () => expect((await grid.job(second)).waitingReason).toBe('waiting-for-slot'));
  isAnswering = true;
  await grid.startWorker('dies', settings);
  await grid.waitFor(second, 'COMPLETE');
});
