/** The fast ways answer as the long ones do, and nobody is let in, or refused, by what the API has kept. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobDetail } from '../../apps/api/src/jobs/show/job-answers.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { recordingOf } from '../support/worker-rows.js';

let api: TestApi;
let key: string;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi();
  key = await api.makeKey({ role: 'admin' });
  nodeId = await api.worker.addNode({ slots: 100 });
});
afterAll(() => api.stop());

const JOB = { executors: [{ image: 'debian:bookworm', command: ['true'] }] };
const FULL = {
  name: 'all of it',
  executors: [
    {
      image: 'debian:bookworm',
      command: ['sh', '-c', `"quotes" 'and' \\ and \u{1f41f}`],
      environment: { B: '1', AA: '' },
    },
    { image: 'debian:bookworm', command: ['true'], workingDirectory: '/tmp' },
  ],
  inputs: [
    { name: 'signal', url: 'file:///data/in/a.edf', path: '/in/a.edf', sha256: 'a'.repeat(64) },
    { content: 'läuft', path: '/in/settings' },
    { content: '', path: '/in/empty' },
  ],
  resources: { cpuMilli: 500, memoryBytes: 2 ** 33, diskBytes: 2 ** 34, wallTimeS: 61 },
  monitoring: 'syscalls',
  priority: 7,
  tags: { __proto__x: '1', zz: '2', a: '3' },
};
const submit = async (body: object, status = 201) => (await api.post(key, '/api/v1/jobs', body).expect(status)).body;
const get = async (id: string) => (await api.get(key, `/api/v1/jobs/${id}`).expect(200)).body;
/** Why a job waits may change from one look to the next. */
const timeless = ({ waitingReasonText: _text, ...job }: Record<string, unknown>) => job;
const read = async (id: string) => timeless(await get(id));
/** Of an object in the answer, the names that it has in the schema. */
const names = (schema: { shape: object }) => Object.keys(schema.shape).sort();
const { runs: runSchema, attempts: attemptSchema, executors: executorSchema } = jobDetail.shape;

describe('the answer about a job', () => {
  it.each([
    ['a plain job', JOB],
    ['a job with everything', { ...FULL, outputs: [{ url: `file:///out/${randomUUID()}`, path: '/out/a' }] }],
    [
      'a job whose outputs are many files',
      { ...JOB, outputs: [{ url: `file:///out/${randomUUID()}`, path: '/out', type: 'DIRECTORY' }] },
    ],
  ])('is the same from its submission and later, and what the schema says: %s', async (_what, body) => {
    const made = await submit(body);
    expect(timeless(made)).toEqual(await read(made.id));
    for (const job of [made, await get(made.id)]) {
      expect(Object.keys(job).sort()).toEqual(names(jobDetail));
      expect(Object.keys(job.executors[0]).sort()).toEqual(names(executorSchema.element));
    }
  });

  it('says why a job waits in the words of the list', async () => {
    const { id } = await submit({ ...JOB, name: randomUUID(), architecture: 'aarch64' });
    await eventually(async () => {
      const { waitingReasonText: text, name } = await get(id);
      expect(text).toContain(';');
      const { jobs } = (await api.get(key, `/api/v1/jobs?namePrefix=${name}`).expect(200)).body;
      expect(jobs).toMatchObject([{ id, waitingReasonText: text }]);
    });
  });

  it('has runs with artifacts, recordings and denials, and outputs in place', async () => {
    const output = { name: 'result', url: `file:///out/${randomUUID()}`, path: '/out/a' };
    const { id } = await submit({ ...FULL, outputs: [output] });
    const attempt = await api.worker.claim(id, nodeId);
    await api.owner.query('UPDATE attempt SET inputs_staged = 1, input_bytes_staged = 5 WHERE job_id = $1', [id]);
    const progress = { phase: 'staging', done: 1, total: 3, bytesDone: 5, bytesTotal: null };
    expect(await read(id)).toMatchObject({ progress, attempts: [{ cachedInputs: [] }] });
    const cached = [
      { input: 1, bytes: 0 },
      { input: 0, bytes: 2 ** 40 },
    ];
    await api.owner.query('UPDATE attempt SET cached_inputs = $2 WHERE job_id = $1', [id, JSON.stringify(cached)]);
    const [first, second] = FULL.inputs;
    const cachedInputs = [
      { path: second?.path, bytes: 0 },
      { path: first?.path, bytes: 2 ** 40 },
    ];
    expect(await read(id)).toMatchObject({ attempts: [{ cachedInputs }] });
    const buildId = await api.worker.resolveBuild(id, 'sha256:content');
    const runId = await api.worker.startRun(attempt, { buildId, monitoring: 'syscalls' });
    await api.worker.setJob(id, 'RUNNING');
    const running = await read(id);
    expect(running).toMatchObject({ state: 'RUNNING', runs: [{ id: runId, endedAt: null, recording: null }] });
    await api.worker.endRun(runId, { wallUs: 2 ** 40 });
    await api.worker.addRecording(runId, recordingOf(['read'], ['io-uring']));
    await api.worker.addOutput(attempt, { ...output, sha256: 'a'.repeat(64), bytes: 5 });
    await api.worker.endJob(attempt, ['COMPLETE'], ['COMPLETE']);
    const shown = await get(id);
    expect(shown).toMatchObject({
      state: 'COMPLETE',
      outputs: [{ ...output, sha256: 'a'.repeat(64), bytes: 5, publishedAt: expect.any(String) }],
      runs: [{ wallUs: 2 ** 40, recording: { partialReasons: ['io-uring'] }, denials: [], denialsDropped: 0 }],
    });
    expect(Object.keys(shown.runs[0]).sort()).toEqual(names(runSchema.element));
    expect(Object.keys(shown.attempts[0]).sort()).toEqual(names(attemptSchema.element));
    await api.worker.addDenial(runId, { call: 'socket', arguments: ['0x2'], errno: 'EPERM', description: 'AF_INET' });
    const told = {
      call: 'socket',
      arguments: ['0x2'],
      action: 'refused',
      errno: 'EPERM',
      description: 'AF_INET',
      count: 3,
    };
    const denial = { ...told, class: 'authority' };
    expect(await get(id)).toEqual({
      ...shown,
      denials: { count: 3, dropped: 0, worstClass: 'authority' },
      runs: [{ ...shown.runs[0], denials: [denial] }],
    });
  });

  it.each([
    ['that was refused nothing', false],
    ['that was refused calls', true],
  ])(
    'lists the files of an output by their bytes, and says nothing of them together: one %s',
    async (_what, isDenied) => {
      const base = `file:///out/${randomUUID()}`;
      const outputs = [
        { url: `${base}/all`, path: '/out', type: 'DIRECTORY' },
        { url: `${base}/one`, path: '/out/a', pathPrefix: '/out' },
        { url: `${base}/named`, path: '/out/a' },
      ];
      const { id } = await submit({ ...JOB, outputs });
      const attempt = await api.worker.claim(id, nodeId);
      const buildId = await api.worker.resolveBuild(id, 'sha256:content');
      const runId = await api.worker.startRun(attempt, { buildId });
      const inOrder = ['A', 'B', '_', 'a', 'a.b', 'a/b', 'b', '\u00e4', '\uffee', '\u{1f41f}'];
      const add = (position: number, path: string, url: string) =>
        api.worker.addOutput(attempt, { path, url, position, sha256: String(position).repeat(64), bytes: 5 });
      for (const name of [...inOrder].reverse()) await add(0, `/out/${name}`, `${base}/all/${name}`);
      await add(1, '/out/a', `${base}/one/a`);
      await add(2, '/out/a', `${base}/named`);
      if (isDenied) await api.worker.addDenial(runId, { call: 'socket', arguments: [] });
      const { outputs: shown, runs } = await get(id);
      expect(runs[0].denials).toHaveLength(isDenied ? 1 : 0);
      expect(shown[0].files.map(({ path }: { path: string }) => path)).toEqual(inOrder.map((name) => `/out/${name}`));
      expect(shown).toMatchObject([
        { sha256: null, bytes: null, publishedAt: null },
        { sha256: null, bytes: null, publishedAt: null, files: [{ sha256: '1'.repeat(64) }] },
        { sha256: '2'.repeat(64), bytes: 5 },
      ]);
      const task = (await api.get(key, `/v1/tasks/${id}?view=FULL`).expect(200)).body;
      const paths = [...inOrder, 'a', 'a'].sort((one, other) => Buffer.from(one).compare(Buffer.from(other)));
      expect(task.logs[0].outputs.map(({ path }: { path: string }) => path)).toEqual(
        paths.map((name) => `/out/${name}`),
      );
    },
  );
});

describe('what was kept', () => {
  it.each([
    [
      'its key is revoked',
      'UPDATE api_key SET revoked_at = now() FROM principal WHERE principal_id = principal.id AND principal.name = $1',
    ],
    ['its principal is disabled', 'UPDATE principal SET disabled_at = now() WHERE name = $1'],
  ])('lets nobody in from the moment that %s', async (_what, sql) => {
    for (let round = 0; round < 5; round++) {
      const principal = randomUUID();
      const theirs = await api.makeKey({ role: 'submitter', principal });
      const { body } = await api.post(theirs, '/api/v1/jobs', JOB).expect(201);
      await api.get(theirs, `/api/v1/jobs/${body.id}`).expect(200);
      await api.owner.query(sql, [principal]);
      const refused = await Promise.all([
        api.get(theirs, `/api/v1/jobs/${body.id}`),
        api.post(theirs, '/api/v1/jobs', JOB),
        api.post(theirs, `/api/v1/jobs/${body.id}/rerun`),
      ]);
      expect(refused.map(({ status, body: { code } }) => [status, code])).toEqual(
        Array(3).fill([401, 'api-key-invalid']),
      );
    }
  });

  it('refuses nothing that a change has allowed, and takes nothing that one has forbidden', async () => {
    const tenant = randomUUID();
    const admin = await api.makeKey({ role: 'admin', tenant });
    const name = `app-${randomUUID()}`;
    const application = { name, image: 'debian:bookworm', commandPrefix: ['true'], policy: 'learn' };
    const { body: made } = await api.post(admin, '/api/v1/applications', application).expect(201);
    const ask = () => api.post(admin, '/api/v1/jobs', { executors: [{ application: name, command: [] }] });
    await ask().expect(201);
    for (const [policy, status] of [
      ['refuse', 422],
      ['learn', 201],
      ['refuse', 422],
    ] as const) {
      await api.patch(admin, `/api/v1/applications/${made.id}`, { policy }).expect(200);
      await ask().expect(status);
    }
    await api.owner.query('UPDATE application SET policy = $2 WHERE id = $1', [made.id, 'learn']);
    await ask().expect(201);
    await api.owner.query('INSERT INTO tenant_setting (tenant, max_queued_jobs) VALUES ($1, 3)', [tenant]);
    expect((await ask().expect(429)).body.code).toBe('too-many-jobs');
    await api.owner.query('UPDATE tenant_setting SET max_queued_jobs = 100000 WHERE tenant = $1', [tenant]);
    await ask().expect(201);
  });
});
