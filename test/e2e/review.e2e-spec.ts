import { randomUUID } from 'node:crypto';
import { type FileUse } from '#lib/profiles';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { makeLearningApplication } from '../support/learning-application.js';
import { recordingOf } from '../support/worker-rows.js';

let api: TestApi;
let keys: Record<'submitter' | 'poisoner' | 'reviewer' | 'admin', string>;
let nodeId: string;
let otherNodeId: string;

beforeAll(async () => {
  api = await startTestApi();
  keys = {
    submitter: await api.makeKey({ role: 'submitter' }),
    poisoner: await api.makeKey({ role: 'submitter' }),
    reviewer: await api.makeKey({ role: 'reviewer' }),
    admin: await api.makeKey({ role: 'admin' }),
  };
  nodeId = await api.worker.addNode({ slots: 100, monitorings: ['none', 'syscalls', 'files'] });
  otherNodeId = await api.worker.addNode({ slots: 100 });
});
afterAll(() => api.stop());

const makeApplication = (settings: object = {}) => makeLearningApplication(api, { keys, nodeId, settings });
const review = async (id: string, key = keys.reviewer) =>
  (await api.get(key, `/api/v1/profiles/${id}/review`).expect(200)).body;
const approve = (key: string, { id, digest }: { id: string; digest: string }, more: object = {}) =>
  api.post(key, `/api/v1/profiles/${id}/approve`, { digest, reason: 'looked at it', ...more });
const idOf = async (key: string): Promise<string> => {
  const executors = [{ image: 'debian:12', command: ['true'] }];
  return (await api.post(key, '/api/v1/jobs', { executors }).expect(201)).body.submittedBy;
};
interface ReviewedCall {
  name: string;
  class: string;
  change: string;
  coverage: object;
}
const callOf = ({ calls }: { calls: ReviewedCall[] }, name: string) => calls.find((call) => call.name === name);

describe('the review of a version', () => {
  it('has families first, then calls by class, and tells who saw each: one recording, one submitter, one node', async () => {
    const { run, version } = await makeApplication();
    const first = await run({ inputsDigest: 'a', calls: ['read', 'openat'] });
    await run({ inputsDigest: 'b', calls: ['read', 'openat'] });
    const poisoned = await run({
      ...{ inputsDigest: 'c', calls: ['read', 'openat', 'kill', 'ptrace'], key: keys.poisoner, nodeId: otherNodeId },
    });
    const { id, digest } = await version(1);
    const body = await review(id);
    expect(body).toMatchObject({ id, digest, state: 'PROPOSED', basedOn: null, reasonRequired: true });
    expect(body.families[0]).toMatchObject({ family: 'other-processes', class: 'dangerous', added: ['ptrace'] });
    const classes = body.calls.map((call: ReviewedCall) => call.class);
    const order = ['dangerous', 'authority', 'harmless', 'basic'];
    expect(classes).toEqual([...classes].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
    const place = (run: { runId: string; jobId: string }) => ({ ...{ runId: run.runId, jobId: run.jobId } });
    expect(callOf(body, 'ptrace')).toMatchObject({
      ...{ class: 'dangerous', family: 'other-processes', change: 'added' },
      origin: { origin: 'seen', run: poisoned.runId },
      allows: 'takes control of other processes of the payload',
      conditions: ['any arguments'],
      coverage: {
        recordings: { seenIn: 1, of: 3 },
        inputs: { seenIn: 1, of: 3 },
        submitters: { seenIn: 1, of: 2 },
        nodes: { seenIn: 1, of: 2 },
      },
      firstRun: place(poisoned),
      lastRun: place(poisoned),
    });
    expect(callOf(body, 'read')).toMatchObject({
      coverage: { recordings: { seenIn: 3, of: 3 }, submitters: { seenIn: 2, of: 2 } },
      firstRun: place(first),
      lastRun: place(poisoned),
    });
    expect(callOf(body, 'unlink')).toMatchObject({
      origin: { origin: 'implied', family: 'file-changes' },
      coverage: { recordings: { seenIn: 0, of: 3 }, nodes: { seenIn: 0, of: 2 } },
      firstRun: null,
    });
    const warned = body.lint.map((warning: { name: string; kind: string }) => `${warning.kind} ${warning.name}`);
    expect(warned).toEqual(expect.arrayContaining(['risky kill', 'rare kill', 'risky ptrace', 'rare ptrace']));
    expect(body.attackSurface).toMatchObject({ calls: body.calls.length, of: 29 });
    expect(body.fourEyes).toEqual({ required: false, mayDecide: true, objection: null });
    expect((await api.get(keys.submitter, `/api/v1/profiles/${id}/review`).expect(403)).body.code).toBe(
      'role-required',
    );
  });

  it('compares with the approved version that it is based on, and counts what runs would have met', async () => {
    const { run, learn, version } = await makeApplication();
    const approved = await learn(['read', 'kill']);
    await approve(keys.reviewer, approved).expect(200);
    await run({ inputsDigest: 'c', calls: ['read', 'kill', 'mkdir'] });
    const next = await version(2);
    const body = await review(next.id);
    expect(body).toMatchObject({ basedOn: approved.id, reasonRequired: false });
    expect(callOf(body, 'mkdir')).toMatchObject({ change: 'added', class: 'harmless' });
    expect(callOf(body, 'kill')).toMatchObject({ change: 'kept' });
    expect(body.wouldHaveRefused).toEqual({ runs: 0, of: 4, calls: [] });
    await run({ inputsDigest: 'd', calls: ['read', 'socketpair'] });
    await run({ inputsDigest: 'd', calls: ['read', 'socketpair'], partialReasons: ['map-failure'] });
    expect((await review(next.id)).wouldHaveRefused).toEqual({
      ...{ runs: 1, of: 5 },
      calls: [{ call: 'socketpair', class: 'authority', runs: 1 }],
    });
  });

  it('has the denials behind it as evidence, the most dangerous first', async () => {
    const { run, learn, version } = await makeApplication();
    const approved = await learn(['read']);
    await approve(keys.reviewer, approved).expect(200);
    const denials = [
      { call: 'mkdir', arguments: [], errno: 'EPERM', description: 'mkdir("/a\\u{3164}")', architecture: 'x86_64' },
      { call: 'ptrace', arguments: [], errno: 'EPERM', description: 'ptrace(PTRACE_ATTACH)', architecture: 'x86_64' },
    ];
    const [mine, others] = [
      await run({ inputsDigest: 'c', calls: ['read'], profileVersionId: approved.id, enforcement: 'enforce' }),
      await run({ inputsDigest: 'c', calls: ['read', 'mkdir'], key: keys.poisoner }),
    ];
    for (const denial of denials) await api.worker.addDenial(mine.runId, denial);
    await api.worker.addDenial(others.runId, denials[0]!);
    const next = await version(2);
    await api.owner.query(
      `INSERT INTO profile_version_denial (profile_version_id, executor_run_id) SELECT $1, unnest($2::uuid[])
       ON CONFLICT DO NOTHING`,
      [next.id, [mine.runId, others.runId]],
    );
    const [submitter, poisoner] = [await idOf(keys.submitter), await idOf(keys.poisoner)];
    const { evidence } = await review(next.id);
    expect(evidence).toEqual([
      {
        ...{
          call: 'ptrace',
          description: 'ptrace(PTRACE_ATTACH)',
          errno: 'EPERM',
          class: 'dangerous',
          count: 3,
          runs: 1,
        },
        first: expect.objectContaining({ runId: mine.runId, jobId: mine.jobId, executor: 0, position: 1 }),
        submitters: [submitter],
      },
      {
        ...{ call: 'mkdir', description: 'mkdir("/a\\u{3164}")', errno: 'EPERM', class: 'harmless', count: 6, runs: 2 },
        first: expect.objectContaining({ runId: mine.runId, jobId: mine.jobId, executor: 0, position: 0 }),
        submitters: [submitter, poisoner].sort(),
      },
    ]);
  });

  it('warns of what told the loader to run other code than the image has', async () => {
    const { name, learn, version } = await makeApplication({ recordingsNeeded: 4 });
    const body = {
      executors: [{ application: name, environment: { LD_PRELOAD: '/in/x.so', LANG: 'C' } }],
      inputs: [
        { content: '/in/x.so', path: '/etc/ld.so.preload' },
        { content: 'x', path: '/in/night.edf' },
      ],
    };
    const { id: jobId } = (await api.post(keys.poisoner, '/api/v1/jobs', body).expect(201)).body as { id: string };
    const attempt = await api.worker.claim(jobId, nodeId);
    const buildId = await api.worker.resolveBuild(jobId, 'sha256:content');
    const runId = await api.worker.startRun(attempt, { buildId, inputsDigest: 'd', monitoring: 'files' });
    await api.worker.endRun(runId);
    const use: FileUse = { path: '{inputs}/tool', access: 'execute', result: 'ok', resolved: true, count: 1 };
    await api.worker.addRecording(runId, {
      ...recordingOf(['read']),
      arguments: [],
      peakTasks: 1,
      files: [use],
      sockets: [],
    });
    await api.worker.endJob(attempt, ['COMPLETE'], ['COMPLETE']);
    await learn(['read']);
    const { warnings } = await review((await version(1)).id);
    expect(warnings.map(({ kind, subject }: { kind: string; subject: string }) => `${kind} ${subject}`).sort()).toEqual(
      ['environment LD_PRELOAD=/in/x.so', 'execution {inputs}/tool', 'input /etc/ld.so.preload'],
    );
    expect(warnings[0]).toMatchObject({ runs: 1, runId, jobId, reason: expect.any(String) });
  });
});

describe('the list of versions', () => {
  it('is of one application, by id or name, of one state, and of what adds a class of calls', async () => {
    const { id, name, run, learn, version } = await makeApplication();
    const first = await learn(['read', 'kill']);
    await approve(keys.reviewer, first).expect(200);
    await run({ inputsDigest: 'c', calls: ['read', 'mkdir'] });
    await version(2);
    const listed = async (query: string): Promise<number[]> =>
      (await api.get(keys.reviewer, `/api/v1/profiles?${query}`).expect(200)).body.profiles.map(
        ({ number }: { number: number }) => number,
      );
    expect(await listed(`applicationId=${id}`)).toEqual([2, 1]);
    expect(await listed(`application=${name}`)).toEqual([2, 1]);
    expect(await listed(`application=${name}x`)).toEqual([]);
    expect(await listed(`applicationId=${randomUUID()}`)).toEqual([]);
    expect(await listed(`application=${name}&state=PROPOSED`)).toEqual([2]);
    expect(await listed(`application=${name}&class=authority`)).toEqual([1]);
    expect(await listed(`application=${name}&class=harmless`)).toEqual([2]);
    expect(await listed(`application=${name}&class=dangerous`)).toEqual([]);
    await api.get(keys.reviewer, '/api/v1/profiles?class=odd').expect(400);
    const { body } = await api.get(keys.reviewer, `/api/v1/profiles/${first.id}`).expect(200);
    expect(body.additionClasses).toEqual(['basic', 'authority']);
  });
});

describe('four eyes', () => {
  const tenant = 'two-people';
  let four: Record<'submitter' | 'reviewer' | 'admin' | 'other', string>;
  beforeAll(async () => {
    const make = (role: string) => api.makeKey({ role, tenant });
    four = {
      submitter: await make('submitter'),
      reviewer: await make('reviewer'),
      admin: await make('admin'),
      other: await make('reviewer'),
    };
    await api.patch(four.admin, '/api/v1/tenants/self', { fourEyes: true }).expect(200);
  });

  it('keep who submitted a job whose recording is behind the version from approving it, and not from rejecting it', async () => {
    const { run, version } = await makeLearningApplication(api, { keys: four, nodeId });
    for (const inputsDigest of ['a', 'b']) await run({ inputsDigest, calls: ['read'] });
    const { jobId } = await run({ inputsDigest: 'c', calls: ['read'], key: four.reviewer });
    const proposed = await version(1);
    const refused = await approve(four.reviewer, proposed).expect(403);
    expect(refused.body).toMatchObject({ code: 'four-eyes', detail: expect.stringContaining(jobId) });
    expect((await review(proposed.id, four.reviewer)).fourEyes).toEqual({
      ...{ required: true, mayDecide: false, objection: expect.stringContaining(jobId) },
    });
    expect((await review(proposed.id, four.other)).fourEyes).toEqual({
      required: true,
      mayDecide: true,
      objection: null,
    });
    await approve(four.other, proposed).expect(200);
  });

  it('keep who submitted such a job from changing the stage of the version', async () => {
    const { run, version } = await makeLearningApplication(api, { keys: four, nodeId });
    for (const inputsDigest of ['a', 'b', 'c']) await run({ inputsDigest, calls: ['read'], key: four.reviewer });
    const approved = await version(1);
    await approve(four.other, approved).expect(200);
    const change = (key: string, stage: string) =>
      api.post(key, `/api/v1/profiles/${approved.id}/stage`, { digest: approved.digest, stage, reason: 'sure' });
    for (const stage of ['enforce', 'audit']) {
      expect((await change(four.reviewer, stage).expect(403)).body.code).toBe('four-eyes');
    }
    await change(four.other, 'enforce').expect(200);
  });

  it('keep who submitted a job whose denials are behind the version, or which waits for it', async () => {
    const { run, learn } = await makeLearningApplication(api, { keys: four, nodeId });
    const proposed = await learn(['read']);
    const denied = await run({ inputsDigest: 'd', key: four.reviewer });
    const link = `INSERT INTO profile_version_denial (profile_version_id, executor_run_id) VALUES ($1, $2)`;
    await api.owner.query(link, [proposed.id, denied.runId]);
    expect((await approve(four.reviewer, proposed).expect(403)).body.code).toBe('four-eyes');
    const held = await run({ inputsDigest: 'd', key: four.other });
    await api.owner.query('UPDATE job SET held_build_id = $2, held_version_id = $3 WHERE id = $1', [
      ...[held.jobId, held.buildId, proposed.id],
    ]);
    expect((await approve(four.other, proposed).expect(403)).body.code).toBe('four-eyes');
    const { digest } = proposed;
    await api.post(four.other, `/api/v1/profiles/${proposed.id}/reject`, { digest, reason: 'no' }).expect(200);
  });

  it('keep who wrote the version by hand', async () => {
    const { id, run, learn } = await makeLearningApplication(api, { keys: four, nodeId });
    const { buildId } = await run({ inputsDigest: 'a', calls: ['read'] });
    await learn(['read']);
    const profile = {
      ...{ version: 1, architecture: 'x86_64', network: 'none' },
      rules: [{ names: ['mkdir', 'read'], action: 'SCMP_ACT_ALLOW' }],
    };
    const path = `/api/v1/applications/${id}/profiles`;
    const proposed = (await api.post(four.admin, path, { buildId, profile }).expect(201)).body;
    expect((await approve(four.admin, proposed).expect(403)).body.code).toBe('four-eyes');
    await approve(four.other, proposed).expect(200);
  });
});
