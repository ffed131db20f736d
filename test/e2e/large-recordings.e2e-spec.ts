/** A recording of the largest kind is read beside the other requests, and not in their place. */
import { get } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Recording } from '#lib/profiles';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordingText } from '../../apps/api/src/jobs/recordings/read-recording.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { makeLearningApplication } from '../support/learning-application.js';
import { recordingOf } from '../support/worker-rows.js';

const FILES = 90_000;

let api: TestApi;
let url: string;
let key: string;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi();
  await api.app.listen(0, '127.0.0.1');
  url = await api.app.getUrl();
  key = await api.makeKey({ role: 'admin' });
  nodeId = await api.worker.addNode({ slots: 20 });
});
afterAll(() => api.stop());

async function recordedJob(recording: Recording) {
  const application = await makeLearningApplication(api, { keys: { submitter: key, admin: key }, nodeId });
  const made = await application.run({ recording, monitoring: 'files' });
  await application.settled();
  return made;
}

/** Bytes that nothing in this process looks at. */
function bytesOf(path: string): Promise<{ status: number | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    get(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(parts) }));
    }).on('error', reject);
  });
}

/** The longest time that nothing else could run in this thread. */
async function stallOf<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  const result = await work();
  delays.disable();
  return [result, delays.max / 1e6];
}

const LARGE: Recording = {
  ...recordingOf(['read', 'openat']),
  files: Array.from({ length: FILES }, (_, index) => ({
    path: `/usr/lib/python3/dist-packages/package${index}/${'module_'.repeat(20)}.py`,
    access: 'read',
    result: 'ok',
    resolved: true,
    count: index,
  })),
  sockets: [],
};

describe('a recording of 20 MB', () => {
  it('is answered whole, one after another, and holds up nobody', { timeout: 120_000 }, async () => {
    const { jobId, runId } = await recordedJob(LARGE);
    const path = `/api/v1/jobs/${jobId}/recording`;
    const [answers, stallMs] = await stallOf(() => Promise.all([1, 2, 3].map(() => bytesOf(path))));
    // On an idle machine some 15 ms and 1,500 ms; both grow together with what else the machine does.
    const [, inPlaceMs] = await stallOf(() => recordingText(api.app.get(DataSource).manager, runId));
    expect(stallMs).toBeLessThan(inPlaceMs / 2);
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect((JSON.parse(body.toString()) as { files: unknown[] }).files).toHaveLength(FILES);
    }
  });

  it('that no worker of ours has stored is refused by the thread as elsewhere', async () => {
    const { jobId, runId } = await recordedJob(LARGE);
    await api.owner.query(`UPDATE recording SET digest = 'another' WHERE executor_run_id = $1`, [runId]);
    const { body } = await api.get(key, `/api/v1/jobs/${jobId}/recording`).expect(500);
    expect(body).toMatchObject({ code: 'recording-integrity' });
  });

  it('is refused where many are waited for', { timeout: 240_000 }, async () => {
    const { jobId } = await recordedJob(LARGE);
    const answers = await Promise.all(Array.from({ length: 18 }, () => bytesOf(`/api/v1/jobs/${jobId}/recording`)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array<number>(16).fill(200), 503, 503]);
  });
});
