/** The worker's SQL against what others do with the same rows meanwhile. */
import { makeDataSource } from '#lib/database';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { considerBuild } from '#lib/store';
import { LostAttemptError } from '../../apps/worker/src/attempt/lost-attempt.js';
import { PublicationStore } from '../../apps/worker/src/attempt/publication-store.js';
import { type NodeDatabase } from '../../apps/worker/src/store/node-database.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { addTestNode } from '../support/database.js';
import { openAsNode } from '../support/test-node.js';

let api: TestApi;
let key: string;
let database: NodeDatabase;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi();
  key = await api.makeKey({ role: 'admin' });
  const credentials = await addTestNode(api.database.ownerUrl, 'node');
  database = openAsNode(api.database.ownerUrl, credentials);
  nodeId = credentials.id;
});
afterAll(async () => {
  await database.end();
  await api.stop();
});

async function claimed() {
  const body = { executors: [{ image: 'debian:bookworm', command: ['true'] }] };
  const { id } = (await api.post(key, '/api/v1/jobs', body).expect(201)).body as { id: string };
  return api.worker.claim(id, nodeId);
}

describe('an answer that comes after the lease it gives', () => {
  it('lets no output become visible', async () => {
    const attempt = await claimed();
    const store = new PublicationStore(database, { leaseMs: 1_000 });
    await store.begin(attempt, 'token', null);
    const other = new pg.Client({ connectionString: api.database.ownerUrl });
    await other.connect();
    await other.query('BEGIN');
    await other.query('SELECT FROM attempt WHERE job_id = $1 FOR UPDATE', [attempt.jobId]);
    const held = store.begin(attempt, 'token', null).catch((error: unknown) => error);
    await other.query('SELECT pg_sleep(1.5)');
    await other.query('COMMIT');
    await other.end();
    expect(await held).toBeInstanceOf(LostAttemptError);
  });
});

describe('the recordings of a build', () => {
  it('are considered while runs of it start', async () => {
    const attempt = await claimed();
    const buildId = await api.worker.resolveBuild(attempt.jobId, 'sha256:a');
    const owner = await makeDataSource({ url: api.database.apiUrl, applicationName: 'test' }).initialize();
    await owner.transaction(async (manager) => {
      await considerBuild(manager, buildId, { beyondDefault: [] });
      await api.worker.startRun(attempt, { buildId });
    });
    await owner.destroy();
  });
});
