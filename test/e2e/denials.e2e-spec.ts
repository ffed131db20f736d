import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import {
  type LearningApplication,
  type ListedProfile,
  makeLearningApplication,
} from '../support/learning-application.js';
import { runAgain, type RecordedJob, type RecordedJobOptions, runRecordedJob } from '../support/recorded-job.js';
import { type DeniedCall, recordingOf } from '../support/worker-rows.js';
import { isQueuedOrPlaced } from '../support/queue-rows.js';

let api: TestApi;
let keys: Record<'submitter' | 'hostile' | 'reviewer' | 'admin', string>;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi();
  keys = {
    submitter: await api.makeKey({ role: 'submitter' }),
    hostile: await api.makeKey({ role: 'submitter' }),
    reviewer: await api.makeKey({ role: 'reviewer' }),
    admin: await api.makeKey({ role: 'admin' }),
  };
  nodeId = await api.worker.addNode({ slots: 200 });
});

afterAll(() => api.stop());

const WORK = ['read', 'execve', 'openat'];
const decide = (verb: string, { id, digest }: ListedProfile, more: object = {}) =>
  api.post(keys.reviewer, `/api/v1/profiles/${id}/${verb}`, { digest, reason: 'looked at it', ...more }).expect(200);
const detail = async (id: string) => (await api.get(keys.reviewer, `/api/v1/profiles/${id}`).expect(200)).body;
const job = async (id: string) => (await api.get(keys.admin, `/api/v1/jobs/${id}`).expect(200)).body;
const heldVersion = async (jobId: string) =>
  (await api.owner.query(`SELECT held_version_id AS id FROM job WHERE id = $1`, [jobId])).rows[0].id as string | null;
const waits = (jobId: string, versionId: string) =>
  eventually(async () => expect(await heldVersion(jobId)).toBe(versionId));

const KILL: DeniedCall = { call: 'kill', arguments: ['0x5', '0xf'], description: 'kill(5, SIGTERM)' };
const SOCKETPAIR: DeniedCall = { call: 'socketpair', arguments: ['0x1', '0x1', '0x0', '0x7ffd1000'] };

/** An application with an enforced version, and runs under it that are refused calls and whose jobs wait. */
async function enforced(settings: object = {}, learned: Partial<RecordedJobOptions> = {}) {
  const app = await makeLearningApplication(api, { keys, nodeId, settings });
  for (const inputsDigest of ['a', 'b', 'b']) await app.run({ inputsDigest, calls: WORK, ...learned });
  const version = await app.version(1);
  await decide('approve', version, { stage: 'enforce' });
  const options = (denials: readonly DeniedCall[], more: Partial<RecordedJobOptions>): RecordedJobOptions => ({
    ...{ key: keys.submitter, application: app.name, nodeId, denials, calls: WORK, isHeld: true },
    ...{ enforcement: 'enforce', profileVersionId: version.id },
    ...more,
  });
  return {
    ...{ app, version },
    refused: (denials: readonly DeniedCall[], more: Partial<RecordedJobOptions> = {}): Promise<RecordedJob> =>
      runRecordedJob(api, options(denials, more)),
    again: (jobId: string, denials: readonly DeniedCall[], more: Partial<RecordedJobOptions> = {}) =>
      runAgain(api, jobId, options(denials, more)),
  };
}

const denialLinks = async (versionId: string) =>
  (
    await api.owner.query(`SELECT executor_run_id AS id FROM profile_version_denial WHERE profile_version_id = $1`, [
      versionId,
    ])
  ).rows.map(({ id }: { id: string }) => id);

describe('a job whose call was refused', () => {
  it('waits for the version that is proposed for it at once, is queued again on its approval, and starts a new audit', async () => {
    const { app, version, refused } = await enforced();
    const { jobId, runId } = await refused([KILL]);
    const proposed = await app.version(2);
    await waits(jobId, proposed.id);
    const described = await detail(proposed.id);
    expect(described).toMatchObject({ basedOn: version.id, additionClasses: ['authority'] });
    expect(described.origins.kill).toEqual({ origin: 'denied', run: runId });
    // What was refused was in no recording.
    expect(described.coverage).toMatchObject({ kill: { seenIn: 0, of: 3 }, read: { seenIn: 3, of: 3 } });
    expect(await denialLinks(proposed.id)).toEqual([runId]);
    expect(await job(jobId)).toMatchObject({ state: 'QUEUED', fence: 1, failures: 0 });

    const { body } = await decide('approve', proposed);
    expect(body).toMatchObject({ state: 'APPROVED', stage: 'audit' });
    expect(await job(jobId)).toMatchObject({ state: 'QUEUED', fence: 2, waitingReason: 'waiting-for-slot' });
    const { rows } = await api.owner.query(`SELECT held_build_id, held_version_id, held_until FROM job WHERE id = $1`, [
      jobId,
    ]);
    expect(rows[0]).toEqual({ held_build_id: null, held_version_id: null, held_until: null });
    expect(await isQueuedOrPlaced(api.owner, jobId)).toBe(true);
  });

  it('is not released again by the same version that refused it', async () => {
    const { app, refused, again } = await enforced();
    const { jobId } = await refused([KILL]);
    const second = await app.version(2);
    await decide('approve', second, { stage: 'enforce' });
    expect((await job(jobId)).fence).toBe(2);
    await again(jobId, [SOCKETPAIR], { profileVersionId: second.id });
    await waits(jobId, (await app.version(3)).id);
    expect((await job(jobId)).fence).toBe(2);
    await decide('stage', second, { stage: 'audit' });
    expect((await job(jobId)).fence).toBe(3);
  });

  it('waits for the wider version when more is refused: there is one open proposal', async () => {
    const { app, refused } = await enforced();
    const first = await refused([KILL]);
    await waits(first.jobId, (await app.version(2)).id);
    const second = await refused([SOCKETPAIR]);
    const wider = await app.version(3);
    for (const { jobId } of [first, second]) await waits(jobId, wider.id);
    expect((await denialLinks(wider.id)).sort()).toEqual([first.runId, second.runId].sort());
    const { origins } = await detail(wider.id);
    expect(origins).toMatchObject({ kill: { run: first.runId }, socketpair: { run: second.runId } });
    expect(await app.states()).toEqual([
      [3, 'PROPOSED'],
      [2, 'SUPERSEDED'],
      [1, 'APPROVED'],
    ]);
    // And what recordings teach meanwhile is in it as well.
    await app.run({ calls: [...WORK, 'memfd_create'], enforcement: 'audit' });
    const widest = await app.version(4);
    for (const { jobId } of [first, second]) await waits(jobId, widest.id);
    expect(Object.keys((await detail(widest.id)).origins)).toEqual(
      expect.arrayContaining(['kill', 'socketpair', 'memfd_create']),
    );
  });

  it('ends with the reviewer’s reason when the version is rejected, and its run proposes nothing again', async () => {
    const { app, refused } = await enforced();
    const { jobId } = await refused([KILL]);
    const proposed = await app.version(2);
    await waits(jobId, proposed.id);
    await decide('reject', proposed, { reason: 'it has no business there' });
    const ended = await job(jobId);
    expect(ended).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'denied', waitingReason: null });
    expect(ended.errorMessage).toContain('it has no business there');

    const second = await refused([KILL]);
    await eventually(async () => expect((await job(second.jobId)).state).toBe('EXECUTOR_ERROR'));
    expect((await job(second.jobId)).errorMessage).toContain('was rejected before');
    await refused([SOCKETPAIR]);
    expect((await detail((await app.version(3)).id)).origins.kill).toBeUndefined();
  });

  it('ends when nobody decided in time', async () => {
    const { refused } = await enforced();
    const { jobId } = await refused([KILL], { heldDays: 0 });
    await eventually(async () => expect((await job(jobId)).state).toBe('EXECUTOR_ERROR'));
    expect(await job(jobId)).toMatchObject({ errorCode: 'denied', errorMessage: expect.stringContaining('in time') });
  });

  it.each<[string, DeniedCall[], string]>([
    ['is dangerous', [KILL, { call: 'keyctl', arguments: ['0x0'] }], 'keyctl is dangerous'],
    ['is of a foreign ABI', [{ call: 'call 20', architecture: 'i386' }], 'call 20 is dangerous'],
    ['a guard refuses', [{ call: 'socket', arguments: ['0x28', '0x1', '0x0'], errno: 'EPERM' }], 'AF_VSOCK'],
    ['is about files that no recording has', [{ call: 'file', errno: 'EACCES' }], 'monitoring "files"'],
    ['its profile has', [{ call: 'read' }], 'The approved profile has all of them'],
    ['cannot be read', [{ call: 'kill', arguments: ['5'] }], 'cannot be read'],
  ])('ends at once where the call %s', async (_name, denials, words) => {
    const { app, refused } = await enforced();
    const { jobId } = await refused(denials);
    await eventually(async () => expect((await job(jobId)).state).toBe('EXECUTOR_ERROR'));
    const { errorCode, errorMessage } = await job(jobId);
    expect({ errorCode, errorMessage }).toEqual({ errorCode: 'denied', errorMessage: expect.stringContaining(words) });
    expect(await app.states()).toEqual([[1, 'APPROVED']]);
  });

  it('is planned anew where no version is approved any more', async () => {
    const { version, refused } = await enforced();
    await decide('revoke', version);
    const { jobId } = await refused([KILL]);
    await eventually(async () =>
      expect(await job(jobId)).toMatchObject({ state: 'QUEUED', fence: 2, waitingReason: 'waiting-for-slot' }),
    );
  });

  it('ends after five attempts that were refused calls, whatever was approved between them', async () => {
    const { app, version, refused, again } = await enforced();
    const names = ['kill', 'memfd_create', 'shmget', 'semget', 'msgget'];
    const { jobId } = await refused([{ call: names[0] ?? '' }]);
    let approved = version;
    for (const [index, call] of names.entries()) {
      if (index > 0) await again(jobId, [{ call }], { profileVersionId: approved.id });
      if (index === names.length - 1) break;
      approved = await app.version(index + 2);
      await waits(jobId, approved.id);
      await decide('approve', approved, { stage: 'enforce' });
    }
    await eventually(async () => expect((await job(jobId)).state).toBe('EXECUTOR_ERROR'));
    expect(await job(jobId)).toMatchObject({
      errorCode: 'denied',
      errorMessage: expect.stringContaining('5 attempts'),
    });
    // The call that was refused is still proposed.
    expect((await detail((await app.version(6)).id)).origins).toHaveProperty('msgget');
  });

  it('is canceled at once', async () => {
    const { refused } = await enforced();
    const { jobId } = await refused([KILL]);
    await api.post(keys.submitter, `/api/v1/jobs/${jobId}/cancel`).expect(200);
    expect(await job(jobId)).toMatchObject({ state: 'CANCELED', waitingReason: null });
    const { rows } = await api.owner.query(`SELECT held_build_id FROM job WHERE id = $1`, [jobId]);
    expect(rows[0].held_build_id).toBeNull();
  });

  it('waits on for a decision where a person’s version lies in the way, and is proposed after that one’s rejection', async () => {
    const { app, version, refused } = await enforced();
    const first = await refused([KILL]);
    await waits(first.jobId, (await app.version(2)).id);
    const { buildId, profile } = await detail(version.id);
    const edited = { ...profile, rules: [...profile.rules, { names: ['semget'], action: 'SCMP_ACT_ALLOW' }] };
    const byHand = await api
      .post(keys.admin, `/api/v1/applications/${app.id}/profiles`, { buildId, profile: edited })
      .expect(201);
    const second = await refused([SOCKETPAIR]);
    await api.dispatcherHasLooked();
    expect(await heldVersion(second.jobId)).toBeNull();
    await decide('reject', byHand.body);
    const joined = await app.version(4);
    for (const { jobId } of [first, second]) await waits(jobId, joined.id);
    expect((await detail(joined.id)).origins).toMatchObject({
      kill: { origin: 'denied' },
      socketpair: { origin: 'denied' },
    });
  });
});

describe('what a run was refused', () => {
  it.each(['fail', 'report'])('is proposed too where its job has ended, by onDenial %s', async (onDenial) => {
    const { app, refused } = await enforced({ onDenial });
    const ended = onDenial === 'fail' ? ({ state: 'EXECUTOR_ERROR', errorCode: 'denied' } as const) : {};
    const { runId } = await refused([KILL], { ...ended, isHeld: false });
    expect((await detail((await app.version(2)).id)).origins.kill).toEqual({ origin: 'denied', run: runId });
  });

  it('widens conditions by its arguments where the profile has some', async () => {
    const use = (call: string, values: Record<string, `0x${string}`>) => ({ call, values, count: 1, failures: {} });
    const recording = {
      ...recordingOf(['socket', ...WORK]),
      arguments: [use('socket', { 0: '0x1', 1: '0x1', 2: '0x0' })],
    };
    const { app, version, refused } = await enforced({}, { recording });
    const families = async (id: string): Promise<unknown[]> =>
      (await detail(id)).profile.rules
        .filter(({ names }: { names: string[] }) => names.includes('socket'))
        .map(({ args }: { args?: { value: string }[] }) => args?.[0]?.value);
    expect(new Set(await families(version.id))).toEqual(new Set(['0x1']));
    await refused([{ call: 'socket', arguments: ['0x11', '0x80003', '0x0'], errno: 'EPERM' }]);
    expect(new Set(await families((await app.version(2)).id))).toEqual(new Set(['0x1', '0x11']));
    // Another use of the same call is another thing to allow.
    await refused([{ call: 'socket', arguments: ['0x10', '0x3', '0x0'], errno: 'EPERM' }]);
    expect(new Set(await families((await app.version(3)).id))).toEqual(new Set(['0x1', '0x10', '0x11']));
  });

  it('is refused quietly from then on where the engine refuses it to everybody', async () => {
    const { app, refused } = await enforced();
    await refused([{ call: 'mbind', errno: 'EPERM' }]);
    const { rules } = (await detail((await app.version(2)).id)).profile;
    expect(rules).toContainEqual({
      names: expect.arrayContaining(['mbind']),
      action: 'SCMP_ACT_ERRNO',
      errnoRet: 1,
    });
  });

  it('names the files that its recording has', async () => {
    const file = (path: string, result = 'ok') => ({ path, access: 'read' as const, result, resolved: true, count: 1 });
    const files = [file('/opt/app/data')];
    const learned = { ...recordingOf(WORK), files };
    const { app, refused } = await enforced({}, { recording: learned, monitoring: 'files' });
    const recording = { ...learned, files: [...files, file('/etc/app.conf', 'EACCES')] };
    const { jobId } = await refused([{ call: 'file', errno: 'EACCES' }], { recording, monitoring: 'files' });
    const proposed = await app.version(2);
    await waits(jobId, proposed.id);
    expect((await detail(proposed.id)).profile.files.map(({ path }: { path: string }) => path)).toContain(
      '/etc/app.conf',
    );
  });

  it('by an audit of rules that were not inherited is no evidence: no profile grants it', async () => {
    const { app, refused } = await enforced();
    await refused([KILL], { enforcement: 'audit' });
    await app.judged();
    expect(await app.states()).toEqual([[1, 'APPROVED']]);
  });
});

describe('a hostile submitter', () => {
  const byHostile = (app: LearningApplication, profileVersionId: string, denials: readonly DeniedCall[]) =>
    runRecordedJob(api, {
      ...{ key: keys.hostile, application: app.name, nodeId, denials, calls: WORK, isHeld: true },
      ...{ enforcement: 'enforce', profileVersionId },
    });

  it('makes twenty runs in an hour evidence, and keeps nobody else’s out', async () => {
    const { app, version, refused } = await enforced();
    const names = ['kill', 'memfd_create', 'shmget', 'semget', 'msgget', 'tee'];
    const hostile: RecordedJob[] = [];
    for (let count = 0; count < 24; count++) {
      hostile.push(await byHostile(app, version.id, [{ call: names[count % names.length] ?? '' }]));
    }
    const honest = await refused([SOCKETPAIR]);
    await eventually(async () => {
      const { rows } = await api.owner.query(
        `SELECT count(*)::int AS count FROM executor_run WHERE id = ANY ($1) AND denials_considered_at IS NOT NULL`,
        [hostile.map(({ runId }) => runId)],
      );
      expect(rows[0].count).toBe(20);
    });
    await eventually(async () => expect(await heldVersion(honest.jobId)).not.toBeNull());
    const linked = await denialLinks((await heldVersion(honest.jobId)) ?? '');
    expect(linked).toContain(honest.runId);
    expect(linked).toHaveLength(21);
    // Later, the rest.
    await api.owner.query(
      `UPDATE executor_run SET denials_considered_at = now() - interval '61 min' WHERE denials_considered_at IS NOT NULL`,
    );
    await app.judged();
  });

  it('poisons a proposal visibly, and no more once it is rejected', async () => {
    const { app, version, refused } = await enforced();
    const poisoned = await byHostile(app, version.id, [KILL]);
    const honest = await refused([SOCKETPAIR]);
    await eventually(async () => {
      expect(await heldVersion(honest.jobId)).not.toBeNull();
      expect(await heldVersion(poisoned.jobId)).toBe(await heldVersion(honest.jobId));
    });
    const joined = await detail((await heldVersion(honest.jobId)) ?? '');
    expect(joined.origins.kill.run).toBe(poisoned.runId);
    await decide('reject', joined);
    // Whoever runs the honest job again is asked for nothing but what it needs.
    const again = await refused([SOCKETPAIR]);
    await eventually(async () => expect(await heldVersion(again.jobId)).not.toBeNull());
    const clean = await detail((await heldVersion(again.jobId)) ?? '');
    expect(clean.origins.kill).toBeUndefined();
    expect(clean.origins.socketpair).toEqual({ origin: 'denied', run: again.runId });
  });

  it('ends no honest job by asking for what leaves no room beside it', async () => {
    const file = (path: string, result = 'ok') => ({ path, access: 'read' as const, result, resolved: true, count: 1 });
    const learned = { ...recordingOf(WORK), files: [file('/opt/app/data')] };
    const { app, version, refused } = await enforced({}, { recording: learned, monitoring: 'files' });
    const asking = (paths: readonly string[]) => ({
      recording: { ...learned, files: [...learned.files, ...paths.map((path) => file(path, 'EACCES'))] },
      monitoring: 'files' as const,
    });
    const denials: DeniedCall[] = [{ call: 'file', errno: 'EACCES' }];
    const many = Array.from({ length: 500 }, (_, index) => `/srv/d${index}/f`);
    const hostile = await runRecordedJob(api, {
      ...{ key: keys.hostile, application: app.name, nodeId, denials, calls: WORK, isHeld: true },
      ...{ enforcement: 'enforce', profileVersionId: version.id },
      ...asking(many),
    });
    await waits(hostile.jobId, (await app.version(2)).id);
    const honest = await refused(denials, asking(Array.from({ length: 20 }, (_, index) => `/data/d${index}/f`)));
    await waits(honest.jobId, (await app.version(3)).id);
    expect(await job(honest.jobId)).toMatchObject({ state: 'QUEUED' });
    expect(await job(hostile.jobId)).toMatchObject({ state: 'QUEUED' });
  });

  it('ends no honest job by asking again for what was rejected together with it', async () => {
    const { app, version, refused } = await enforced();
    await byHostile(app, version.id, [KILL]);
    const first = await refused([SOCKETPAIR]);
    await eventually(async () => expect(await heldVersion(first.jobId)).not.toBeNull());
    let joined = await detail((await heldVersion(first.jobId)) ?? '');
    await eventually(async () => {
      joined = await detail((await heldVersion(first.jobId)) ?? '');
      expect(joined.origins).toHaveProperty('kill');
    });
    await decide('reject', joined);
    const evil = await byHostile(app, version.id, [KILL]);
    await eventually(async () => expect(await heldVersion(evil.jobId)).not.toBeNull());
    const honest = await refused([SOCKETPAIR]);
    await eventually(async () => expect(await heldVersion(honest.jobId)).not.toBeNull());
    expect(Object.keys((await detail((await heldVersion(honest.jobId)) ?? '')).origins)).not.toContain('kill');
    expect(await job(evil.jobId)).toMatchObject({ state: 'QUEUED' });
  });

  it('keeps nobody out of a proposal by very many denials of one run', async () => {
    const { app, version, refused } = await enforced({}, {});
    const { runId } = await byHostile(app, version.id, [KILL]);
    await api.owner.query(`UPDATE executor_run SET denials_considered_at = NULL, denials_taken = false WHERE id = $1`, [
      runId,
    ]);
    await api.owner.query(
      `INSERT INTO denial (executor_run_id, position, call, shape, action, description, count)
       SELECT $1, 1 + g, 'kill', jsonb_build_object('arguments', '[]'::jsonb, 'architecture', 'x86_64', 'errno', 'ENOSYS'),
         'refused', 'kill()', 1 FROM generate_series(1, 25000) AS g`,
      [runId],
    );
    const honest = await refused([SOCKETPAIR]);
    await eventually(async () => expect(await heldVersion(honest.jobId)).not.toBeNull());
  });

  it('proposes nothing by a run that did something dangerous beside', async () => {
    const { app, version } = await enforced({ onDenial: 'report' });
    await byHostile(app, version.id, [KILL, { call: 'bpf', arguments: ['0x5', '0x0', '0x0'] }]);
    await app.judged();
    expect(await app.states()).toEqual([[1, 'APPROVED']]);
  });
});
