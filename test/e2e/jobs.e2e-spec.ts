import { randomUUID } from 'node:crypto';
import { canonicalProfile, recordingDigest } from '#lib/profiles';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deleteExpired } from '../../apps/dispatcher/src/retention/expired.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { type AttemptKey, cancelEverything, recordingOf } from '../support/worker-rows.js';

let api: TestApi;
let keys: Record<'submitter' | 'other' | 'admin' | 'stranger', string>;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi();
  keys = {
    submitter: await api.makeKey({ role: 'submitter' }),
    other: await api.makeKey({ role: 'submitter' }),
    admin: await api.makeKey({ role: 'admin' }),
    stranger: await api.makeKey({ role: 'admin', tenant: 'elsewhere' }),
  };
  nodeId = await api.worker.addNode({ slots: 100 });
});

afterAll(() => api.stop());

const job = { executors: [{ image: 'debian:bookworm', command: ['true'] }] };
const submit = async (body: object = job, key = keys.submitter): Promise<string> =>
  (await api.post(key, '/api/v1/jobs', body).expect(201)).body.id;
const read = async (id: string) => (await api.get(keys.submitter, `/api/v1/jobs/${id}`).expect(200)).body;

describe('a job', () => {
  it('is shown with its attempts, runs, denials, recording and outputs', async () => {
    const output = { url: 'file:///data/out/a', path: '/out/a' };
    const inputs = [
      { name: 'signal', url: 'file:///data/in/a.edf', path: '/in/a.edf' },
      { content: 'läuft', path: '/in/settings' },
    ];
    const id = await submit({ ...job, inputs, outputs: [output], resources: { wallTimeS: 60 } });
    expect(await read(id)).toMatchObject({
      waitingReasonText: expect.stringMatching(/^waiting for a slot on a node/),
      resources: { cpuMilli: 1000, wallTimeS: 60 },
      inputs: [inputs[0], { path: '/in/settings', contentBytes: 6 }],
      outputs: [{ ...output, sha256: null, bytes: null, publishedAt: null }],
      attempts: [],
      runs: [],
    });

    const lost = await api.worker.claim(id, nodeId, { leaseS: -1 });
    await eventually(async () => expect((await read(id)).fence).toBe(2));
    const attempt = await api.worker.claim(id, nodeId);
    const buildId = await api.worker.resolveBuild(id, 'sha256:content');
    const runId = await api.worker.startRun(attempt, { buildId, monitoring: 'syscalls' });
    await api.worker.setJob(id, 'RUNNING');
    await api.worker.endRun(runId, { wallUs: 1234 });
    const denial = { call: 'socket', arguments: ['0x2', '0x1'], errno: 'EPERM', description: 'AF_INET' };
    await api.worker.addDenial(runId, denial);
    await api.worker.addRecording(runId, recordingOf(['read'], ['io-uring']));
    await api.worker.addOutput(attempt, { ...output, sha256: 'a'.repeat(64), bytes: 5 });
    await api.worker.endJob(attempt, ['COMPLETE'], ['COMPLETE']);

    const shown = await read(id);
    expect(shown).toMatchObject({
      ...{ state: 'COMPLETE', waitingReason: null, waitingReasonText: null, failures: 0 },
      executors: [{ position: 0, buildId, command: ['true'] }],
      outputs: [{ ...output, sha256: 'a'.repeat(64), bytes: 5, publishedAt: expect.any(String) }],
      attempts: [
        { number: lost.number, nodeId, state: 'LOST', errorCode: 'lease-lost' },
        { number: 2, nodeId, state: 'COMPLETE', errorCode: null },
      ],
    });
    expect(shown.runs).toHaveLength(1);
    expect(shown.runs[0]).toMatchObject({
      ...{ id: runId, attemptNumber: 2, position: 0, buildId, profileVersionId: null, selectionReason: 'because' },
      ...{ enforcement: 'none', monitoring: 'syscalls', phasesMs: { payload: 7 }, wallUs: 1234, exitCode: 0 },
      denials: [{ ...denial, action: 'refused', count: 3 }],
      recording: { digest: recordingDigest(recordingOf(['read'], ['io-uring'])), partialReasons: ['io-uring'] },
    });
    expect(JSON.stringify(shown)).not.toContain('läuft');
  });
});

describe('the list of jobs', () => {
  it.each([
    ['state=CANCELED', ['b']],
    ['state=QUEUED&namePrefix=list-', ['a', 'c']],
    ['namePrefix=list-c', ['c']],
    ['tag=study=sleep', ['a', 'b']],
    ['tag=study=sleep&tag=site=1=2', ['b']],
    ['namePrefix=list-&application=adhoc/debian/true', ['a', 'b', 'c']],
    ['application=adhoc/debian', []],
    ['namePrefix=list-&createdBefore=2020-01-01T00:00:00Z', []],
    ['namePrefix=list-&createdAfter=2020-01-01T00:00:00%2B02:00', ['a', 'b', 'c']],
    ['namePrefix=LIST-', []],
    ['namePrefix=%25', []],
  ])('with %s has %j', async (query, names) => {
    const key = await api.makeKey({ role: 'submitter' });
    await submit({ ...job, name: 'list-a', tags: { study: 'sleep' } }, key);
    const canceled = await submit({ ...job, name: 'list-b', tags: { study: 'sleep', site: '1=2' } }, key);
    await submit({ ...job, name: 'list-c' }, key);
    await api.post(key, `/api/v1/jobs/${canceled}/cancel`).expect(200);
    const { body } = await api.get(key, `/api/v1/jobs?${query}`).expect(200);
    expect(body.jobs.map((each: { name: string }) => each.name.replace('list-', '')).sort()).toEqual(names);
    expect(body.next).toBeNull();
  });

  it.each(['state=DONE', 'tag=nothing', 'createdAfter=yesterday', 'limit=0', 'limit=501', 'after=1', 'sate=QUEUED'])(
    'refuses %s',
    async (query) => {
      const { body } = await api.get(keys.submitter, `/api/v1/jobs?${query}`).expect(400);
      expect(body.code).toBe('invalid-request');
      expect(body.problems).toHaveLength(1);
    },
  );
});

describe('a submission', () => {
  const makeApplication = async (policy: string): Promise<string> => {
    const name = `app-${randomUUID()}`;
    await api.post(keys.admin, '/api/v1/applications', { name, image: 'porin/edf:1', policy }).expect(201);
    return name;
  };

  it.each<[string, keyof typeof keys, string, object, number, string]>([
    ['no profile where one is demanded', 'submitter', 'refuse', {}, 422, 'profile-required'],
    ['enforcement without a profile', 'submitter', 'learn', { enforcement: 'enforce' }, 422, 'profile-required'],
    ['less than the policy gives', 'submitter', 'hold', { enforcement: 'none' }, 403, 'level-not-allowed'],
    ['an audit by a submitter', 'submitter', 'learn', { enforcement: 'audit' }, 403, 'level-not-allowed'],
    ['an audit without a profile', 'admin', 'learn', { enforcement: 'audit' }, 422, 'audit-needs-profile'],
    ['what no node records', 'submitter', 'learn', { monitoring: 'files' }, 422, 'monitoring-unavailable'],
  ])('is refused for %s, and makes no job', async (_name, role, policy, request, status, code) => {
    const application = await makeApplication(policy);
    const name = randomUUID();
    const body = { ...request, name, executors: [{ application }] };
    expect((await api.post(keys[role], '/api/v1/jobs', body).expect(status)).body.code).toBe(code);
    const { rows } = await api.owner.query('SELECT FROM job WHERE name = $1', [name]);
    expect(rows).toHaveLength(0);
  });

  it.each<[string, string, object]>([
    ['waits for a profile', 'hold', {}],
    ['asks for more monitoring than none', 'hold', { monitoring: 'syscalls' }],
    ['learns', 'learn', {}],
  ])('is taken when it %s', async (_name, policy, request) => {
    await submit({ ...request, executors: [{ application: await makeApplication(policy) }] });
  });

  it('is taken where one build of the application has an approved profile: it may turn out to be that one', async () => {
    const application = await makeApplication('learn');
    const first = await submit({ executors: [{ application }] });
    const buildId = await api.worker.resolveBuild(first, 'sha256:content');
    await api.owner.query(
      `INSERT INTO profile_version (build_id, number, digest, canonical, coverage, state, stage, statement, signature)
       VALUES ($1, 1, 'd', $2, '{}', 'APPROVED', 'enforce', 's', 's')`,
      [buildId, canonicalProfile({ version: 1, architecture: 'x86_64', rules: [], network: 'none' })],
    );
    await submit({ executors: [{ application }], enforcement: 'enforce' });
    const refused = { executors: [{ application }], enforcement: 'none', monitoring: 'files' };
    await api.post(keys.admin, '/api/v1/jobs', refused).expect(422);
  });

  it('that was taken once is answered with the same job, whatever the policy says by now', async () => {
    const application = await makeApplication('learn');
    const key = randomUUID();
    const again = () =>
      api.post(keys.submitter, '/api/v1/jobs', { executors: [{ application }] }).set('Idempotency-Key', key);
    const { body } = await again().expect(201);
    await api.owner.query(`UPDATE application SET policy = 'refuse' WHERE name = $1`, [application]);
    expect((await again().expect(200)).body.id).toBe(body.id);
  });
});

describe('the log of a job', () => {
  const logs = (id: string, query = '', key = keys.submitter) =>
    api.get(key, `/api/v1/jobs/${id}/logs${query}`).buffer(true).parse(bytes);
  const start = async (id: string): Promise<{ attempt: AttemptKey; runId: string; artifact: string }> => {
    const attempt = await api.worker.claim(id, nodeId);
    const buildId = await api.worker.resolveBuild(id, 'sha256:content');
    const runId = await api.worker.startRun(attempt, { buildId });
    await api.worker.addArtifact(runId, 'stderr');
    return { attempt, runId, artifact: await api.worker.addArtifact(runId, 'stdout') };
  };

  it('is read while it runs, byte by byte where it stopped, until it is complete', async () => {
    const id = await submit();
    const before = await logs(id).expect(200);
    expect(before.body.toString()).toBe('');
    expect(before.headers).toMatchObject({ 'porin-log-next-offset': '0', 'porin-log-complete': 'false' });

    const { runId, artifact, attempt } = await start(id);
    await api.worker.addChunk(artifact, 0, Buffer.from('eins '));
    await api.worker.addChunk(artifact, 5, Buffer.from('zwei '));
    const first = await logs(id).expect(200);
    expect(first.body.toString()).toBe('eins zwei ');
    expect(first.headers).toMatchObject({
      ...{ 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
      ...{ 'porin-log-next-offset': '10', 'porin-log-complete': 'false', 'porin-log-attempt': '1' },
    });
    for (const [offset, text] of [
      ['3', 's zwei '],
      ['5', 'zwei '],
      ['9', ' '],
      ['10', ''],
      ['99', ''],
    ]) {
      expect((await logs(id, `?offset=${offset}`).expect(200)).body.toString()).toBe(text);
    }

    await api.worker.addChunk(artifact, 10, Buffer.from('drei'));
    await api.worker.setDropped(artifact, 77);
    await api.worker.endRun(runId);
    await api.worker.endJob(attempt, ['COMPLETE'], ['COMPLETE']);
    const last = await logs(id, '?offset=10').expect(200);
    expect(last.body.toString()).toBe('drei');
    expect(last.headers).toMatchObject({
      ...{ 'porin-log-next-offset': '14', 'porin-log-complete': 'true', 'porin-log-dropped-bytes': '77' },
    });
    expect((await logs(id, '?stream=stderr').expect(200)).headers['porin-log-complete']).toBe('true');
  });

  it('comes in answers of 1 MiB, and is put together from them without a gap', async () => {
    const id = await submit();
    const { runId, artifact, attempt } = await start(id);
    const whole = Buffer.from(Array.from({ length: 2_500_000 }, (_byte, index) => (index * 7 + (index >> 8)) % 256));
    for (let offset = 0; offset < whole.length; offset += 700_001) {
      await api.worker.addChunk(artifact, offset, whole.subarray(offset, offset + 700_001));
    }
    await api.worker.endRun(runId);
    await api.worker.endAttempt(attempt, 'COMPLETE');
    const parts: Buffer[] = [];
    for (let offset = 0, complete = false; !complete;) {
      const answer = await logs(id, `?offset=${offset}`).expect(200);
      expect(answer.body.length).toBeLessThanOrEqual(1024 ** 2);
      parts.push(answer.body);
      offset = Number(answer.headers['porin-log-next-offset']);
      complete = answer.headers['porin-log-complete'] === 'true';
    }
    expect(parts).toHaveLength(3);
    expect(Buffer.concat(parts).equals(whole)).toBe(true);
  });

  it('is that of the latest attempt', async () => {
    const id = await submit();
    const first = await start(id);
    await api.worker.addChunk(first.artifact, 0, Buffer.from('first'));
    await api.worker.endAttempt(first.attempt, 'FAILED', 'engine-error');
    await eventually(async () => expect((await read(id)).fence).toBe(2));
    expect((await logs(id).expect(200)).headers['porin-log-complete']).toBe('true');
    const second = await start(id);
    await api.worker.addChunk(second.artifact, 0, Buffer.from('second'));
    const answer = await logs(id).expect(200);
    expect(answer.body.toString()).toBe('second');
    expect(answer.headers).toMatchObject({ 'porin-log-attempt': '2', 'porin-log-complete': 'false' });
  });

  it('is for those who may see the job, and refuses offsets that are none', async () => {
    const id = await submit();
    await logs(id, '', keys.other).expect(404);
    await logs(id, '', keys.stranger).expect(404);
    await logs(id, '', keys.admin).expect(200);
    for (const query of ['?offset=-1', '?offset=x', '?stream=stdin', '?executor=-1']) await logs(id, query).expect(400);
  });

  it('is deleted when its time is over, and never while its attempt is open', async () => {
    const [old, running, young] = [await submit(), await submit(), await submit()];
    const runs = [await start(old), await start(running), await start(young)];
    for (const { artifact } of runs) await api.worker.addChunk(artifact, 0, Buffer.from('x'));
    for (const { attempt } of [runs[0], runs[2]].flatMap((run) => (run ? [run] : []))) {
      await api.worker.endJob(attempt, ['COMPLETE'], ['COMPLETE']);
    }
    await api.owner.query(
      `UPDATE artifact SET created_at = now() - interval '8 days'
       WHERE executor_run_id IN (SELECT id FROM executor_run WHERE job_id = ANY($1))`,
      [[old, running]],
    );
    const terms = { artifactDays: 7, recordingDays: 7, jobDays: 7 };
    for (const deletes of [true, false])
      expect(await deleteExpired(api.app.get(DataSource).manager, terms)).toBe(deletes);
    expect((await logs(old).expect(410)).body.toString()).toContain('log-expired');
    const { rows } = await api.owner.query('SELECT count(*)::int AS count FROM artifact_chunk WHERE artifact_id = $1', [
      runs[0]?.artifact,
    ]);
    expect(rows[0].count).toBe(0);
    for (const id of [running, young]) expect((await logs(id).expect(200)).body.toString()).toBe('x');
  });
});

afterEach(async () => {
  await cancelEverything(api.owner);
});

function bytes(answer: unknown, done: (error: Error | null, body: Buffer) => void): void {
  const parts: Buffer[] = [];
  const stream = answer as NodeJS.ReadableStream;
  stream.on('data', (part: Buffer) => parts.push(part));
  stream.on('end', () => done(null, Buffer.concat(parts)));
}
