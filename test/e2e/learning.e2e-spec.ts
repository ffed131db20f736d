import { randomUUID } from 'node:crypto';
import { makeDataSource } from '#lib/database';
import { FAMILIES_VERSION, type Recording, recordingDigest } from '#lib/profiles';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LargeBuilds } from '../../apps/dispatcher/src/proposals/large-builds.js';
import { considerOlderFamilies, nextBuild } from '#lib/store';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { type LearningApplication, makeLearningApplication } from '../support/learning-application.js';
import { type RecordedJobOptions } from '../support/recorded-job.js';
import { recordingOf } from '../support/worker-rows.js';

let api: TestApi;
let keys: Record<'submitter' | 'other' | 'reviewer' | 'admin', string>;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi();
  keys = {
    submitter: await api.makeKey({ role: 'submitter' }),
    other: await api.makeKey({ role: 'submitter' }),
    reviewer: await api.makeKey({ role: 'reviewer' }),
    admin: await api.makeKey({ role: 'admin' }),
  };
  nodeId = await api.worker.addNode({ slots: 100 });
});

afterAll(() => api.stop());

/** Two recordings of any inputs are enough, unless the settings say otherwise. */
const makeApplication = (settings: object = {}) =>
  makeLearningApplication(api, {
    keys,
    nodeId,
    settings: { recordingsNeeded: 2, distinctInputsNeeded: 1, ...settings },
  });
const detail = async (id: string) => (await api.get(keys.reviewer, `/api/v1/profiles/${id}`).expect(200)).body;
const names = async (id: string): Promise<string[]> =>
  (await detail(id)).profile.rules.flatMap((rule: { names: string[] }) => rule.names);
const application = async (id: string) =>
  (await api.get(keys.submitter, `/api/v1/applications/${id}`).expect(200)).body;
const change = (id: string, body: object) => api.patch(keys.admin, `/api/v1/applications/${id}`, body).expect(200);
const approve = ({ id, digest }: { id: string; digest: string }) =>
  api
    .post(keys.reviewer, `/api/v1/profiles/${id}/approve`, { digest, reason: 'looked at it', stage: 'enforce' })
    .expect(200);
const recording = (jobId: string, query = '', key = keys.submitter) =>
  api.get(key, `/api/v1/jobs/${jobId}/recording${query}`);

describe('an application', () => {
  it('has exit codes that are expected and what a profile holds beyond what was seen, which administrators change', async () => {
    const { id } = await makeApplication();
    expect(await application(id)).toMatchObject({ expectedExitCodes: [0], closure: 'families', builds: [] });
    const { body } = await change(id, { expectedExitCodes: [0, 2], closure: 'seen' });
    expect(body).toMatchObject({ expectedExitCodes: [0, 2], closure: 'seen' });
    const { rows } = await api.owner.query(
      `SELECT detail FROM audit WHERE subject_id = $1 AND action = 'application.change'`,
      [id],
    );
    expect(rows[0].detail.after).toEqual({ expectedExitCodes: [0, 2], closure: 'seen' });
    await api.patch(keys.reviewer, `/api/v1/applications/${id}`, { closure: 'families' }).expect(403);
  });

  it.each([{ expectedExitCodes: [] }, { expectedExitCodes: [256] }, { expectedExitCodes: [1, 1] }, { closure: 'all' }])(
    'cannot have %j',
    async (settings) => {
      const body = { name: 'refused', image: 'i', ...settings };
      expect((await api.post(keys.admin, '/api/v1/applications', body).expect(400)).body.code).toBe('invalid-request');
    },
  );
});

describe('a run', () => {
  const failed = { state: 'EXECUTOR_ERROR', exitCode: 3 } as const;

  it('teaches when it ended with an expected exit code, though its job ends EXECUTOR_ERROR', async () => {
    const { run, version } = await makeApplication({ expectedExitCodes: [0, 3] });
    await run({ calls: ['read'] });
    await run({ calls: ['read', 'kill'], ...failed });
    expect(await names((await version(1)).id)).toContain('kill');
  });

  it('teaches when its exit code comes to be expected, and no more when it is not', async () => {
    const { id, run, settled, profiles, version } = await makeApplication();
    await run({ calls: ['read'] });
    const { jobId } = await run({ calls: ['read', 'kill'], ...failed });
    await settled();
    expect(await profiles()).toEqual([]);
    expect((await recording(jobId).expect(200)).body.reason).toMatch(/exit code 3; expected of its application: 0\./);
    await change(id, { expectedExitCodes: [0, 3] });
    expect(await names((await version(1)).id)).toContain('kill');
    await change(id, { expectedExitCodes: [0], recordingsNeeded: 1 });
    expect(await names((await version(2)).id)).not.toContain('kill');
  });

  it.each<[string, Partial<RecordedJobOptions>, RegExp]>([
    [
      'a limit',
      { ...failed, errorCode: 'out-of-memory' },
      /not because the program wanted to\. words about out-of-mem/,
    ],
    [
      'a signal',
      { ...failed, exitCode: null, outcome: 'signaled', errorCode: 'killed-by-signal' },
      /not end by itself/,
    ],
    ['a cancel', { ...failed, state: 'CANCELED' }, /was canceled/],
    ['an error of the grid', { ...failed, state: 'SYSTEM_ERROR' }, /error of the grid/],
    ['a recording with a hole', { ...failed, partialReasons: ['ring-full'] }, /^It is partial\. Files or sockets came/],
  ])('never teaches after %s, whatever its exit code', async (_name, options, reason) => {
    const { run, settled, profiles } = await makeApplication({ expectedExitCodes: [0, 3] });
    await run({ calls: ['read'] });
    const { jobId } = await run({ calls: ['read', 'kill'], ...options });
    await settled();
    expect(await profiles()).toEqual([]);
    const { body } = await recording(jobId).expect(200);
    expect(body.teaches).toBe(false);
    expect(body.reason).toMatch(reason);
  });

  it('teaches by its own exit code, whatever the other executors of its job did', async () => {
    const { name, run, version } = await makeApplication();
    await run({ calls: ['read'] });
    const executors = [{ application: name }, { application: name }];
    const { id: jobId } = (await api.post(keys.submitter, '/api/v1/jobs', { executors }).expect(201)).body;
    const attempt = await api.worker.claim(jobId, nodeId);
    for (const [position, exitCode] of [0, 1].entries()) {
      const buildId = await api.worker.resolveBuild(jobId, 'sha256:content', position);
      const runId = await api.worker.startRun(attempt, { buildId, position });
      await api.worker.setJob(jobId, 'RUNNING');
      await api.worker.endRun(runId, { exitCode });
      await api.worker.addRecording(runId, recordingOf(['read', position === 0 ? 'pipe2' : 'kill']));
    }
    await api.worker.endJob(attempt, ['FAILED', 'exit-code'], ['EXECUTOR_ERROR']);
    expect(await names((await version(1)).id)).toEqual(expect.arrayContaining(['pipe2', 'read']));
    expect(await names((await version(1)).id)).not.toContain('kill');
    expect((await recording(jobId).expect(200)).body).toMatchObject({ position: 0, teaches: true, reason: null });
    expect((await recording(jobId, '?executor=1').expect(200)).body).toMatchObject({ position: 1, teaches: false });
  });
});

describe('a recording', () => {
  const WHOLE: Recording = {
    ...recordingOf(['read', 'socket']),
    refused: { mbind: { EPERM: 4 } },
    arguments: [{ call: 'socket', values: { '0': '0x1', '1': '0x1', '2': '0x0' }, count: 2, failures: { EACCES: 1 } }],
    peakTasks: 2,
    files: [{ path: '{inputs}/a', access: 'read', result: 'ok', resolved: true, count: 2 }],
    sockets: [{ operation: 'connect', family: 'AF_UNIX', address: '/run/s', result: 'ENOENT', count: 1 }],
  };

  it('is shown with all that it saw, and what the versions of its build say to each call', async () => {
    const { run, learn, version } = await makeApplication();
    await approve(await learn(['read']));
    const { jobId, runId, buildId } = await run({ recording: WHOLE, monitoring: 'files' });
    const proposed = await version(2);
    const { body } = await recording(jobId).expect(200);
    expect(body).toMatchObject({
      ...{ executorRunId: runId, buildId, attemptNumber: 1, position: 0, monitoring: 'files', architecture: 'x86_64' },
      ...{ digest: recordingDigest(WHOLE), teaches: true, reason: null, partialReasons: [] },
      ...{ proposedProfileId: proposed.id, peakTasks: 2, certificate: WHOLE.certificate },
      ...{ arguments: WHOLE.arguments, files: WHOLE.files, sockets: WHOLE.sockets },
    });
    expect(body.calls).toMatchObject([
      { name: 'mbind', count: 0, refused: { EPERM: 4 }, approved: 'absent' },
      { name: 'read', count: 2, refused: {}, approved: 'allowed', proposed: 'allowed' },
      { name: 'socket', count: 2, approved: 'absent', proposed: 'allowed' },
    ]);
  });

  it('of monitoring "syscalls" has no arguments, files and sockets; a partial one says why in words', async () => {
    const { run } = await makeApplication();
    const { jobId } = await run({ calls: ['read'], partialReasons: ['io-uring'] });
    const { body } = await recording(jobId).expect(200);
    expect(body).toMatchObject({ arguments: null, files: null, sockets: null, peakTasks: null, teaches: false });
    expect(body.calls).toEqual([{ name: 'read', count: 2, refused: {}, approved: null, proposed: null }]);
    expect(body.partialReasons).toEqual([{ reason: 'io-uring', text: expect.stringContaining('set up an io_uring') }]);
  });

  it('is seen by whoever sees its job, and where there is none, it is said why', async () => {
    const { name, run } = await makeApplication();
    const { jobId } = await run({ calls: ['read'] });
    expect((await recording(jobId, '', keys.other).expect(404)).body.code).toBe('not-found');
    await recording(jobId, '', keys.reviewer).expect(200);
    await recording(jobId, '?attempt=1').expect(200);
    const none = async (job: string, query = '') => {
      const { body } = await recording(job, query).expect(404);
      expect(body.code).toBe('no-recording');
      return body.detail;
    };
    expect(await none(jobId, '?executor=1')).toContain('Executor 1 of the job has not been started');
    expect(await none(jobId, '?attempt=2')).toContain('not been started in attempt 2');
    expect(await none((await run({ monitoring: 'none' })).jobId)).toContain('which records nothing');
    expect(await none((await run({ monitoring: 'trace' })).jobId)).toContain('see /trace');
    const { id } = (await api.post(keys.submitter, '/api/v1/jobs', { executors: [{ application: name }] }).expect(201))
      .body;
    const attempt = await api.worker.claim(id, nodeId);
    await api.worker.startRun(attempt, { buildId: await api.worker.resolveBuild(id, 'sha256:content') });
    expect(await none(id)).toContain('has not ended');
    await recording(jobId, '?attempt=0').expect(400);
  });

  it('that no worker of ours stores teaches nothing and is not shown', async () => {
    const { id, run, settled } = await makeApplication();
    const { jobId, runId } = await run({ state: 'COMPLETE' });
    await api.owner.query(
      `INSERT INTO recording (executor_run_id, digest, content, partial_reasons) VALUES ($1, 'sha256:', '{"calls": 1}', '{}')`,
      [runId],
    );
    await settled();
    expect((await recording(jobId).expect(500)).body.code).toBe('recording-integrity');
    expect((await application(id)).builds[0].learning).toMatchObject({ leftOut: 1, recordings: { have: 0 } });
  });
});

describe('a profile version', () => {
  it('names the run that brought each call, also that of calls that only the version before it has', async () => {
    const { run, version, settled } = await makeApplication();
    const first = await run({ calls: ['read'] });
    const second = await run({ calls: ['read', 'pipe2'] });
    await settled();
    await run({ calls: ['read', 'pipe2', 'socket'] });
    const approved = await version(2);
    const { origins, familiesVersion, familiesCurrent } = await detail(approved.id);
    expect(origins).toMatchObject({
      read: { origin: 'seen', run: first.runId },
      pipe2: { origin: 'seen', run: second.runId },
      pipe: { origin: 'implied', family: 'pipes' },
      futex: { origin: 'basic' },
    });
    expect(familiesVersion).toBeGreaterThan(0);
    expect(familiesCurrent).toBe(true);
    await approve(approved);
    await api.owner.query(`DELETE FROM recording WHERE executor_run_id = $1`, [second.runId]);
    await run({ calls: ['read', 'kill'] });
    await run({ calls: ['read', 'kill'] });
    expect((await detail((await version(3)).id)).origins.pipe2.run).toBe(second.runId);
  });

  it('of a person names what is by hand and what is inherited, and no table of families', async () => {
    const { id, learn, version } = await makeApplication();
    const approved = await learn(['read']);
    await approve(approved);
    const { buildId, profile } = await detail(approved.id);
    const edited = { ...profile, rules: [...profile.rules, { names: ['kill'], action: 'SCMP_ACT_ALLOW' }] };
    await api.post(keys.admin, `/api/v1/applications/${id}/profiles`, { buildId, profile: edited }).expect(201);
    const described = await detail((await version(2)).id);
    expect(described).toMatchObject({ familiesVersion: null, familiesCurrent: true });
    expect(described.origins).toMatchObject({ kill: { origin: 'by hand' }, read: { origin: 'inherited' } });
  });

  it('of an older table of families says so, until the API has looked at it again', async () => {
    const { run, version, settled } = await makeApplication();
    for (const inputsDigest of ['a', 'b']) await run({ inputsDigest, calls: ['read'] });
    const { id } = await version(1);
    await settled();
    await api.owner.query('UPDATE profile_version SET families_version = 0 WHERE id = $1', [id]);
    expect((await detail(id)).familiesCurrent).toBe(false);
    // As it does when it starts.
    await considerOlderFamilies(api.app.get(DataSource).manager, FAMILIES_VERSION);
    await settled();
    expect((await detail(id)).familiesCurrent).toBe(true);
  });
});

describe('how learning stands', () => {
  const learningOf = async ({ id }: LearningApplication) => (await application(id)).builds[0].learning;

  it('is said of each build, until a version is proposed and after it', async () => {
    const app = await makeApplication({ recordingsNeeded: 3, distinctInputsNeeded: 2 });
    await app.run({ inputsDigest: 'a', calls: ['read'] });
    await app.run({ inputsDigest: 'a', calls: ['read', 'pipe2'] });
    await app.run({ inputsDigest: 'c', calls: ['read'], partialReasons: ['ring-full'] });
    await app.run({ inputsDigest: 'c', calls: ['read'], exitCode: 1, state: 'EXECUTOR_ERROR' });
    await app.settled();
    const learning = await learningOf(app);
    expect(learning).toMatchObject({
      ...{ recordings: { have: 2, need: 3 }, distinctInputs: { have: 1, need: 2 }, partial: 1, failed: 1 },
      ...{ waiting: 0, leftOut: 0, problem: null, newCalls: [0, 1], advice: null },
    });
    expect(learning.sentence).toMatch(
      /^2 of 3 recordings, 1 of 2 inputs, 1 partial, 1 of failed runs; considered \d+ s ago$/,
    );
    expect(Date.now() - Date.parse(learning.consideredAt)).toBeLessThan(60_000);

    await app.run({ inputsDigest: 'b', calls: ['read', 'kill', 'socket'] });
    const { id } = await app.version(1);
    const { body } = await api.get(keys.submitter, `/api/v1/applications/${app.id}/builds`).expect(200);
    for (const stands of [body.builds[0].learning, (await detail(id)).learning]) {
      expect(stands.sentence).toMatch(/^3 recordings, 2 inputs, 1 partial/);
      expect(stands.newCalls).toEqual([0, 1, 2]);
      expect(stands.expectedNewCalls).toBe(1);
      expect(stands.advice).toBe(
        'Still growing: the last recording brought 2 new calls; watch about 4 more runs before you approve.',
      );
    }
    for (let more = 0; more < 9; more++)
      await app.run({ inputsDigest: 'b', calls: ['read', 'kill', 'socket', 'pipe2'] });
    await app.settled();
    const grown = await learningOf(app);
    expect(grown).toMatchObject({ newCalls: [2, 0, 0, 0, 0, 0, 0, 0, 0, 0], expectedNewCalls: 0, advice: null });
  });

  it('says why recordings that are enough are no profile', async () => {
    const app = await makeApplication({ recordingsNeeded: 1 });
    const files = Array.from({ length: 5000 }, (_, index) => ({
      ...{ path: `/data/${index}/${'a'.repeat(1000)}`, access: 'read', result: 'ok', resolved: true, count: 1 },
    })) as NonNullable<Recording['files']>;
    const { jobId } = await app.run({ recording: { ...recordingOf(['read']), files }, monitoring: 'files' });
    await app.settled();
    expect((await learningOf(app)).problem).toContain('rules are learned from at most');
    expect((await recording(jobId).expect(200)).body.files).toHaveLength(5000);
    await app.run({ calls: ['read'] });
    await app.settled();
    expect((await learningOf(app)).problem).not.toBeNull();
  });
});

describe('a proposal', () => {
  const BUILDS = 40;

  it('of a small build does not wait for forty large ones, which all get theirs', async () => {
    const large = await makeApplication({ recordingsNeeded: 1 });
    const small = await makeApplication();
    await small.run({ calls: ['read'] });
    await small.settled();
    const { jobId } = await large.run({ recording: LARGE, monitoring: 'files' });
    await large.version(1);
    await api.owner.query(MANY_LARGE_BUILDS, [jobId, BUILDS]);
    await api.owner.query(
      `UPDATE job SET state = 'COMPLETE', ended_at = now() WHERE state = 'RUNNING' AND name = 'one of many'`,
    );
    await small.run({ calls: ['read', 'kill'] });
    const endedAt = performance.now();
    await small.version(1);
    const tookS = (performance.now() - endedAt) / 1000;
    const proposed = (await large.profiles()).length - 1;
    console.log(`the small build's version came after ${tookS.toFixed(1)} s, with ${proposed} of ${BUILDS} large ones`);
    expect(proposed).toBeLessThan(BUILDS);
    expect(tookS).toBeLessThan(50);
    await eventually(async () => expect(await large.profiles()).toHaveLength(BUILDS + 1), 100_000);
  });
});

describe('the build that is considered next', () => {
  it('is the one that has waited longest for what it costs, and before all that are only considered again', async () => {
    const { run, version } = await makeApplication({ recordingsNeeded: 1 });
    const { jobId, buildId: again } = await run({ calls: ['read'] });
    await version(1);
    const source = await makeDataSource({ url: api.database.ownerUrl, applicationName: 'test' }).initialize();
    const runner = source.createQueryRunner();
    // Nobody else sees these builds: the dispatcher would take them.
    await runner.startTransaction();
    try {
      const { manager } = runner;
      await manager.query('UPDATE build SET reconsider_since = $2 WHERE id = $1', [again, '2020-01-01']);
      await manager.query(MANY_LARGE_BUILDS, [jobId, 3]);
      // MiB of recordings and seconds since the job has ended.
      const waiting = [
        { mib: 40, seconds: 10 },
        { mib: 2, seconds: 4 },
        { mib: 2, seconds: 1 },
      ];
      const builds: { id: string }[] = await manager.query(
        `SELECT build_id AS id FROM executor_run AS run JOIN job ON job.id = run.job_id WHERE job.state = 'RUNNING'`,
      );
      for (const [index, { mib, seconds }] of waiting.entries()) {
        const id = builds[index]?.id;
        await manager.query(
          `UPDATE recording SET content = jsonb_build_object('text', repeat('a', $2)) FROM executor_run AS run
           WHERE run.id = executor_run_id AND run.build_id = $1`,
          [id, mib * 1024 ** 2],
        );
        await manager.query(
          `UPDATE job SET state = 'COMPLETE', ended_at = now() - make_interval(secs => $2)
           FROM executor_run AS run WHERE run.job_id = job.id AND run.build_id = $1`,
          [id, seconds],
        );
      }
      const [giant, large, later] = builds.map(({ id }) => id);
      const order = [];
      for (let next = await nextBuild(manager, 'large', []); next; next = await nextBuild(manager, 'large', order)) {
        order.push(next);
      }
      expect(order).toEqual([large, later, giant]);
      expect(await nextBuild(manager, 'small', [])).toBe(again);
    } finally {
      await runner.rollbackTransaction();
      await source.destroy();
    }
  });

  it('has a new thread when the one before it ended', async () => {
    const builds = new LargeBuilds({
      databaseUrl: 'postgres://nobody@127.0.0.1:1/none',
      settings: { beyondDefault: [] },
      epoch: '1',
    });
    for (const _time of [1, 2]) await expect(builds.consider(randomUUID())).rejects.toThrow();
    await builds.end();
  });
});

/** A JSON text beyond what is small (apps/api/src/profiles/propose/waiting-builds.ts), and still quick to merge. */
const LARGE: Recording = {
  ...recordingOf(['read', 'openat']),
  files: Array.from({ length: 10_000 }, (_, index) => ({
    path: `/usr/lib/python3/dist-packages/package${index % 10}/${'module_'.repeat(10)}.py`,
    access: 'read',
    result: 'ok',
    resolved: true,
    count: index,
  })),
  sockets: [],
};

/** Copies a job's run and recording to as many builds of its application, each by a job that has not ended. */
const MANY_LARGE_BUILDS = `
WITH made AS (
  SELECT gen_random_uuid() AS job_id, gen_random_uuid() AS run_id, gen_random_uuid() AS build_id FROM generate_series(1, $2)
), build AS (
  INSERT INTO build (id, application_id, content_digest, architecture, image_reference)
  SELECT made.build_id, build.application_id, made.build_id, build.architecture, build.image_reference
  FROM made, executor_run AS run JOIN build ON build.id = run.build_id WHERE run.job_id = $1
), job AS (
  INSERT INTO job (id, tenant, submitted_by, submitted_role, request_digest, name, state, architecture, cpu_milli,
    memory_bytes, disk_bytes, wall_time_s, inputs, outputs)
  SELECT made.job_id, tenant, submitted_by, submitted_role, request_digest, 'one of many', 'RUNNING', architecture, cpu_milli,
    memory_bytes, disk_bytes, wall_time_s, inputs, outputs FROM made, job WHERE job.id = $1
), attempt AS (
  INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at)
  SELECT made.job_id, 1, node_id, 'COMPLETE', now() FROM made, attempt WHERE attempt.job_id = $1
), run AS (
  INSERT INTO executor_run (id, job_id, attempt_number, position, build_id, node_id, enforcement, monitoring,
    selection_reason, filter_digest, inputs_digest, exit_code, outcome, node_facts, ended_at)
  SELECT made.run_id, made.job_id, 1, 0, made.build_id, node_id, enforcement, monitoring, selection_reason, filter_digest,
    inputs_digest, exit_code, outcome, node_facts, ended_at FROM made, executor_run AS run WHERE run.job_id = $1
)
INSERT INTO recording (executor_run_id, digest, content, partial_reasons)
SELECT made.run_id, digest, content, partial_reasons
FROM made, recording JOIN executor_run AS run ON run.id = executor_run_id WHERE run.job_id = $1`;
