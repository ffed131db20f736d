import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { isQueuedOrPlaced } from '../support/queue-rows.js';

let api: TestApi;
let keys: Record<'submitter' | 'other' | 'reviewer' | 'admin' | 'stranger', string>;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi();
  keys = {
    submitter: await api.makeKey({ role: 'submitter' }),
    other: await api.makeKey({ role: 'submitter' }),
    reviewer: await api.makeKey({ role: 'reviewer' }),
    admin: await api.makeKey({ role: 'admin' }),
    stranger: await api.makeKey({ role: 'admin', tenant: 'elsewhere' }),
  };
  nodeId = await api.worker.addNode({ slots: 100 });
});
afterAll(() => api.stop());

const submit = async (key: string, body: object) =>
  (await api.post(key, '/api/v1/jobs', body).expect(201)).body as { id: string; submittedBy: string };
const read = async (id: string) => (await api.get(keys.admin, `/api/v1/jobs/${id}`).expect(200)).body;
const rerun = (key: string, id: string) => api.post(key, `/api/v1/jobs/${id}/rerun`);
const makeApplication = async (settings: object = {}) => {
  const body = { name: `app-${randomUUID()}`, image: 'porin/edf:1', commandPrefix: ['edf'], ...settings };
  return (await api.post(keys.admin, '/api/v1/applications', body).expect(201)).body as { id: string; name: string };
};

describe('a rerun', () => {
  it('is a new job with everything as it was stored, inputs with their content included', async () => {
    const application = await makeApplication();
    const secret = { kind: 'registry', prefix: 'docker.io/', user: 'u', password: 'p' };
    await api.put(keys.admin, '/api/v1/secrets/hub', secret).expect(200);
    const first = await submit(keys.submitter, {
      name: 'night',
      executors: [
        { application: application.name, command: ['--fast'], environment: { A: 'b' }, workingDirectory: '/work' },
        {
          ...{ image: 'debian:12', command: ['true'], stdin: '/in/b', stdout: '/vol/o', stderr: '/vol/e' },
          ignoreError: true,
        },
      ],
      inputs: [
        { name: 'signal', url: 'file:///data/in/a.edf', path: '/in/a.edf' },
        { content: 'läuft', path: '/in/b' },
        { url: 'file:///data/in/tree', path: '/in/tree', type: 'DIRECTORY' },
      ],
      outputs: [
        { url: 'file:///data/out/a', path: '/out/a' },
        { url: 'file:///data/out/d', path: '/out/d', type: 'DIRECTORY' },
        { url: 'file:///data/out/p', path: '/out/p/*.txt', pathPrefix: '/out/p' },
      ],
      volumes: ['/vol'],
      secrets: ['hub'],
      publishOn: 'executor-error',
      resources: { cpuMilli: 500, wallTimeS: 60 },
      priority: 7,
      tags: { study: 'sleep' },
      monitoring: 'syscalls',
    });
    await api.post(keys.submitter, `/api/v1/jobs/${first.id}/cancel`).expect(200);
    await api.patch(keys.admin, `/api/v1/applications/${application.id}`, { image: 'porin/edf:2' }).expect(200);

    const response = await rerun(keys.submitter, first.id).expect(201);
    const { id } = response.body as { id: string };
    expect(id).not.toBe(first.id);
    expect(response.headers.location).toBe(`/api/v1/jobs/${id}`);
    const [before, after] = [await read(first.id), await read(id)];
    // All but what a job has of its own.
    const { createdAt, endedAt, state, waitingReason, waitingReasonText, cancelRequestedAt } = after;
    const own = { createdAt, endedAt, state, waitingReason, waitingReasonText, cancelRequestedAt };
    expect(after).toEqual({ ...before, ...own, id, rerunOf: first.id });
    expect(after).toMatchObject({ state: 'QUEUED', rerunOf: first.id, submittedBy: first.submittedBy, fence: 1 });
    expect(after.executors[0]).toMatchObject({ image: 'porin/edf:1', command: ['edf', '--fast'] });
    expect(before.rerunOf).toBeNull();
    const { rows } = await api.owner.query('SELECT inputs FROM job WHERE id = $1', [id]);
    expect(rows[0].inputs[1]).toEqual({ content: 'läuft', path: '/in/b' });
    expect(await isQueuedOrPlaced(api.owner, id)).toBe(true);
    const listed = (await api.get(keys.submitter, '/api/v1/jobs?namePrefix=night').expect(200)).body.jobs;
    expect(listed.map((job: { rerunOf: string | null }) => job.rerunOf)).toEqual([first.id, null]);
  });

  it('is made once for an Idempotency-Key, which fits no other request', async () => {
    const { id } = await submit(keys.submitter, { executors: [{ image: 'debian:12', command: ['true'] }] });
    const another = await submit(keys.submitter, { executors: [{ image: 'debian:12', command: ['false'] }] });
    const key = randomUUID();
    const once = await rerun(keys.submitter, id).set('Idempotency-Key', key).expect(201);
    const twice = await rerun(keys.submitter, id).set('Idempotency-Key', key).expect(200);
    expect(twice.body.id).toBe(once.body.id);
    const refused = await rerun(keys.submitter, another.id).set('Idempotency-Key', key).expect(409);
    expect(refused.body.code).toBe('idempotency-conflict');
    const malformed = await rerun(keys.submitter, id).set('Idempotency-Key', 'a b').expect(400);
    expect(malformed.body.code).toBe('idempotency-key-invalid');
    expect((await rerun(keys.submitter, id).expect(201)).body.id).not.toBe(once.body.id);
  });

  it('is refused where an older job has one output twice, or one below another, with what is wrong', async () => {
    const { id } = await submit(keys.submitter, {
      executors: [{ image: 'debian:12', command: ['true'] }],
      outputs: [{ url: 'file:///data/out/a', path: '/out/a' }],
    });
    const outputs = ['a', '%61', 'a/b'].map((name, index) => ({
      url: `file:///data/out/${name}`,
      path: `/out/${index}`,
    }));
    await api.owner.query('UPDATE job SET outputs = $2 WHERE id = $1', [id, JSON.stringify(outputs)]);
    expect((await rerun(keys.submitter, id).expect(400)).body).toMatchObject({
      code: 'invalid-request',
      problems: [
        'outputs[1].url: is the target of outputs[0].url too',
        'outputs[2].url: lies below or above outputs[0].url',
      ],
    });
    const { rows } = await api.owner.query('SELECT FROM job WHERE rerun_of = $1', [id]);
    expect(rows).toEqual([]);
  });

  it('is for those who may see the job, and is theirs', async () => {
    const { id, submittedBy } = await submit(keys.submitter, {
      executors: [{ image: 'debian:12', command: ['true'] }],
    });
    for (const key of [keys.other, keys.stranger]) {
      expect((await rerun(key, id).expect(404)).body.code).toBe('not-found');
    }
    const byReviewer = (await rerun(keys.reviewer, id).expect(201)).body;
    expect(byReviewer.submittedBy).not.toBe(submittedBy);
    await api.get(keys.submitter, `/api/v1/jobs/${byReviewer.id}`).expect(404);
  });

  it('is held to the role of whoever asks for it, and to what the application says by now', async () => {
    const application = await makeApplication();
    const unrestricted = await submit(keys.admin, {
      executors: [{ application: application.name }],
      enforcement: 'none',
    });
    const plain = await submit(keys.submitter, { executors: [{ application: application.name }] });
    const path = `/api/v1/applications/${application.id}`;
    await api.patch(keys.admin, path, { policy: 'hold' }).expect(200);
    expect((await rerun(keys.reviewer, unrestricted.id).expect(403)).body.code).toBe('level-not-allowed');
    await rerun(keys.admin, unrestricted.id).expect(201);
    await api.patch(keys.admin, path, { policy: 'refuse' }).expect(200);
    expect((await rerun(keys.submitter, plain.id).expect(422)).body.code).toBe('profile-required');
    const { rows } = await api.owner.query('SELECT count(*)::int AS count FROM job WHERE rerun_of = $1', [plain.id]);
    expect(rows).toEqual([{ count: 0 }]);
  });
});

describe('the denials of a job', () => {
  it('are counted in lists and summaries, over all of its runs, with the worst class', async () => {
    const key = await api.makeKey({ role: 'submitter' });
    const executors = [{ image: 'debian:12', command: ['true'] }];
    const quiet = await submit(key, { executors });
    const { id } = await submit(key, { executors });
    for (const calls of [
      [
        ['openat', 'x86_64'],
        ['kill', 'x86_64'],
      ],
      [['call 999', 'x86_64']],
    ]) {
      const attempt = await api.worker.claim(id, nodeId);
      const runId = await api.worker.startRun(attempt, { buildId: await api.worker.resolveBuild(id, 'sha256:c') });
      for (const [call = '', architecture = ''] of calls) {
        const shape = { arguments: [], errno: 'ENOSYS', description: `${call}()`, architecture };
        await api.worker.addDenial(runId, { call, ...shape });
      }
      await api.owner.query('UPDATE executor_run SET denials_dropped = 5 WHERE id = $1', [runId]);
      await api.worker.endRun(runId);
      await api.worker.endJob(attempt, ['LOST', 'lease-lost'], ['QUEUED', 'retry-after-lost-worker']);
      await api.owner.query('UPDATE job SET fence = fence + 1 WHERE id = $1', [id]);
    }
    const denials = { count: 3 * 3 + 10, dropped: 10, worstClass: 'authority' };
    const none = { count: 0, dropped: 0, worstClass: null };
    const { jobs } = (await api.get(key, '/api/v1/jobs').expect(200)).body;
    expect(jobs.map((job: { id: string; denials: object }) => [job.id, job.denials])).toEqual([
      [id, denials],
      [quiet.id, none],
    ]);
    const shown = await read(id);
    expect(shown.denials).toEqual(denials);
    expect(shown.runs.map(({ denialsDropped }: { denialsDropped: number }) => denialsDropped)).toEqual([5, 5]);
    const classes = shown.runs.flatMap((run: { denials: { call: string; class: string | null }[] }) =>
      run.denials.map((denial) => [denial.call, denial.class]),
    );
    expect(classes).toEqual([
      ['openat', 'harmless'],
      ['kill', 'authority'],
      ['call 999', null],
    ]);
  });

  it('are dangerous where another ABI’s call was among them', async () => {
    const { id } = await submit(keys.submitter, { executors: [{ image: 'debian:12', command: ['true'] }] });
    const attempt = await api.worker.claim(id, nodeId);
    const runId = await api.worker.startRun(attempt, { buildId: await api.worker.resolveBuild(id, 'sha256:c') });
    const denial = { arguments: [], errno: 'ENOSYS', description: 'call 41() of the i386 ABI' };
    await api.worker.addDenial(runId, { ...denial, call: 'call 41', architecture: 'i386' });
    expect((await read(id)).denials).toEqual({ count: 3, dropped: 0, worstClass: 'dangerous' });
  });
});
