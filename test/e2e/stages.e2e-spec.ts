import {
  approvalKeys,
  canonicalStatement,
  type OnNewBuild,
  parseStatement,
  signStatement,
  trustedKeys,
  verifyApproval,
} from '#lib/profiles';
import { DataSource } from 'typeorm';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { promote } from '../../apps/dispatcher/src/stages/promote.js';
import { onNewBuild, PlanStore } from '../../apps/worker/src/plan/plan-store.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { addTestNode } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import {
  type LearningApplication,
  type ListedProfile,
  makeLearningApplication,
} from '../support/learning-application.js';
import { type RecordedJobOptions } from '../support/recorded-job.js';
import { openAsNode } from '../support/test-node.js';

let api: TestApi;
let keys: Record<'submitter' | 'reviewer' | 'admin', string>;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi();
  keys = {
    submitter: await api.makeKey({ role: 'submitter' }),
    reviewer: await api.makeKey({ role: 'reviewer' }),
    admin: await api.makeKey({ role: 'admin' }),
  };
  nodeId = await api.worker.addNode({ slots: 100 });
});

afterAll(() => api.stop());

const WORK = ['read', 'execve', 'openat'];
const makeApplication = (settings: object = {}) =>
  makeLearningApplication(api, { keys, nodeId, settings: { quietRunsNeeded: 3, quietInputsNeeded: 2, ...settings } });
const decide = (verb: string, { id, digest }: ListedProfile, more: object = {}) =>
  api.post(keys.reviewer, `/api/v1/profiles/${id}/${verb}`, { digest, reason: 'looked at it', ...more }).expect(200);
const detail = async (id: string) => (await api.get(keys.reviewer, `/api/v1/profiles/${id}`).expect(200)).body;
const job = async (id: string) => (await api.get(keys.submitter, `/api/v1/jobs/${id}`).expect(200)).body;
const sentence = async (id: string) => (await detail(id)).promotion?.sentence;

/** Waits for the version of any of its builds that nobody has decided about. */
async function proposedOf(app: LearningApplication): Promise<ListedProfile> {
  const proposed = async () => (await app.profiles()).find(({ state }) => state === 'PROPOSED');
  await eventually(async () => expect(await proposed()).toBeDefined());
  return (await proposed()) as ListedProfile;
}

/** A version in audit, and how to run jobs under it. */
async function audited(app: LearningApplication) {
  const version = await app.learn(WORK);
  await decide('approve', version);
  const run = (inputsDigest: string, options: Partial<RecordedJobOptions> = {}) =>
    app.run({
      ...{ inputsDigest, enforcement: 'audit', profileVersionId: version.id },
      ...(options.monitoring !== 'none' && { calls: WORK }),
      ...options,
    });
  return { version, run };
}

/** As a worker that finds that it may not start it. */
async function hold(app: LearningApplication, content: string, reason: Parameters<typeof api.worker.hold>[1]) {
  const { body } = await api.post(keys.submitter, '/api/v1/jobs', { executors: [{ application: app.name }] });
  const attempt = await api.worker.claim(body.id, nodeId);
  const buildId = await api.worker.resolveBuild(attempt.jobId, content);
  await api.worker.hold(attempt, reason);
  return { jobId: attempt.jobId, buildId };
}

describe('a version in audit', () => {
  it('is enforced by itself after enough quiet runs on enough inputs, by a statement signed anew', async () => {
    const app = await makeApplication();
    const { version, run } = await audited(app);
    expect(await detail(version.id)).toMatchObject({ stage: 'audit', promotion: { isOver: false } });
    await run('a');
    const { buildId } = await run('b');
    await app.settled();
    expect(await sentence(version.id)).toBe('audit: 2 of 3 quiet runs, 2 of 2 inputs');
    const { builds } = (await api.get(keys.admin, `/api/v1/applications/${app.id}`).expect(200)).body;
    expect(builds[0].learning.stage).toMatchObject({
      profileId: version.id,
      stage: 'audit',
      promotion: { quietRuns: { have: 2, need: 3 }, inputs: { have: 2, need: 2 }, runs: { have: 2, most: 30 } },
    });
    await run('b');
    await eventually(async () => expect((await detail(version.id)).stage).toBe('enforce'));
    const { promotion, decisions, state } = await detail(version.id);
    expect({ promotion, state }).toEqual({ promotion: null, state: 'APPROVED' });
    expect(decisions).toMatchObject([
      { rule: null, stage: 'approved' },
      { rule: 'promotion', decidedBy: null, reason: 'audit: 3 of 3 quiet runs, 2 of 2 inputs' },
    ]);
    const { rows } = await api.owner.query(
      `SELECT statement, signature, content_digest AS "contentDigest" FROM profile_version AS version
       JOIN build ON build.id = build_id WHERE version.id = $1 AND build.id = $2`,
      [version.id, buildId],
    );
    const subject = {
      application: app.id,
      contentDigest: rows[0].contentDigest,
      architecture: 'x86_64',
      profileDigest: version.digest,
    } as const;
    expect(verifyApproval(trustedKeys([api.publicKey]), rows[0], subject)).toMatchObject({
      kind: 'verified',
      audit: null,
    });
    expect(parseStatement(rows[0].statement)?.rule).toBe('promotion');
  });

  it('is not promoted by runs that do less than its program: neither quiet nor a break', async () => {
    const { version, run } = await audited(await makeApplication());
    await run('a');
    for (const input of ['a', 'b', 'c', 'd']) await run(input, { calls: ['read'] });
    await api.dispatcherHasLooked();
    expect(await sentence(version.id)).toBe('audit: 1 of 3 quiet runs, 1 of 2 inputs');
    await run('b');
    await run('c');
    await eventually(async () => expect((await detail(version.id)).stage).toBe('enforce'));
  });

  it.each<[string, Partial<RecordedJobOptions>]>([
    ['was canceled', { state: 'CANCELED' }],
    ['ended with an exit code that is not expected', { exitCode: 1, state: 'EXECUTOR_ERROR' }],
    ['was recorded with a hole', { partialReasons: ['map-failure'] }],
    ['was not recorded', { monitoring: 'none' }],
    ['was enforced', { enforcement: 'enforce' }],
  ])('does not count a run that %s', async (_name, options) => {
    const { version, run } = await audited(await makeApplication());
    for (const input of ['a', 'b']) await run(input);
    await run('c', options);
    await api.dispatcherHasLooked();
    expect(await sentence(version.id)).toBe('audit: 2 of 3 quiet runs, 2 of 2 inputs');
  });

  it('begins to count anew after a run with a denial', async () => {
    const { version, run } = await audited(await makeApplication());
    for (const input of ['a', 'b']) await run(input);
    await run('c', { denials: [{ call: 'kill', action: 'continued' }], calls: [...WORK, 'kill'] });
    expect(await sentence(version.id)).toBe('audit: 0 of 3 quiet runs, 0 of 2 inputs');
    for (const input of ['a', 'b']) await run(input);
    await api.dispatcherHasLooked();
    expect((await detail(version.id)).stage).toBe('audit');
  });

  it('proposes at once what an audit found, with a run and its origin, on one recording', async () => {
    const app = await makeApplication({ recordingsNeeded: 3 });
    const { version, run } = await audited(app);
    const { runId } = await run('z', { calls: [...WORK, 'kill'], denials: [{ call: 'kill', action: 'continued' }] });
    const next = await detail((await app.version(2)).id);
    expect(next).toMatchObject({ basedOn: version.id, additionClasses: ['authority'] });
    expect(next.origins.kill).toEqual({ origin: 'audit', run: runId });
    expect(next.origins.read.origin).toBe('seen');
  });

  it('waits for a person after thirty runs, however many were quiet since, and jobs wait with it', async () => {
    const app = await makeApplication();
    const { version, run } = await audited(app);
    const denied = { denials: [{ call: 'kill', action: 'continued' as const }], calls: [...WORK, 'kill'] };
    for (let count = 0; count < 28; count++) await run('a', denied);
    for (let count = 0; count < 3; count++) await run('a', { state: 'CANCELED' });
    await run('a', { calls: ['read'] });
    await app.settled();
    expect((await detail(version.id)).promotion).toMatchObject({ isOver: false, runs: { have: 29, most: 30 } });
    await run('a');
    await app.settled();
    expect((await detail(version.id)).promotion).toMatchObject({ isOver: true, runs: { have: 30, most: 30 } });
    await eventually(async () => expect(await isOver(version.id)).toBe(true));
    const { jobId } = await hold(app, 'sha256:content', 'waiting-for-stage-decision');
    for (const input of ['a', 'b', 'c']) await run(input);
    await api.dispatcherHasLooked();
    expect((await detail(version.id)).stage).toBe('audit');
    expect(await job(jobId)).toMatchObject({ fence: 1, waitingReason: 'waiting-for-stage-decision' });

    const { body } = await decide('stage', version, { stage: 'enforce' });
    expect(body).toMatchObject({ stage: 'enforce', promotion: null, decisions: [{}, { rule: null }] });
    expect(await isOver(version.id)).toBe(false);
    expect(await job(jobId)).toMatchObject({ fence: 2, waitingReason: 'waiting-for-slot' });
  });

  it('is enforced on a grid that ends more runs than it counts before anybody looks', async () => {
    const { version, run } = await audited(await makeApplication());
    const setUntil = (until: string) =>
      api.owner.query(
        `UPDATE profile_version SET audit_terms = audit_terms || jsonb_build_object('until', $2::text) WHERE id = $1`,
        [version.id, until],
      );
    const { promotion } = await detail(version.id);
    await setUntil(new Date(0).toISOString());
    for (let count = 0; count < 36; count++) {
      const key = Object.values(keys)[count % 3] as string;
      await run(`input ${count % 4}`, { key });
    }
    expect((await detail(version.id)).stage).toBe('audit');
    await setUntil(promotion.until);
    await eventually(async () => expect((await detail(version.id)).stage).toBe('enforce'));
  });

  it('waits for a person after its time, who may start another audit', async () => {
    const app = await makeApplication();
    const { version, run } = await audited(app);
    await endAudit(version.id);
    for (const input of ['a', 'b', 'c']) await run(input);
    const { jobId } = await hold(app, 'sha256:content', 'waiting-for-stage-decision');
    await api.dispatcherHasLooked();
    expect(await detail(version.id)).toMatchObject({ stage: 'audit', promotion: { isOver: true } });
    const { manager } = api.app.get(DataSource);
    expect(await promote(manager, approvalKeys(api.privateKey), version.id)).toBeUndefined();

    const { body } = await decide('stage', version, { stage: 'audit' });
    expect(body.promotion).toMatchObject({ isOver: false, sentence: 'audit: 0 of 3 quiet runs, 0 of 2 inputs' });
    expect(await job(jobId)).toMatchObject({ fence: 2 });
  });

  it('is a person’s to end where no recordings say what its program does', async () => {
    const app = await makeApplication();
    const { profile } = await detail((await app.learn(WORK)).id);
    const { buildId } = await app.run({ content: 'sha256:by-hand' });
    const path = `/api/v1/applications/${app.id}/profiles`;
    const { id, digest } = (await api.post(keys.admin, path, { buildId, profile }).expect(201)).body;
    const version = { id, digest } as ListedProfile;
    await decide('approve', version);
    const run = (inputsDigest: string, calls: string[]) =>
      app.run({ inputsDigest, calls, enforcement: 'audit', profileVersionId: id, content: 'sha256:by-hand' });
    for (const input of ['a', 'b', 'c', 'd']) await run(input, ['read']);
    await api.dispatcherHasLooked();
    expect(await detail(id)).toMatchObject({ stage: 'audit', promotion: { runs: { have: 4 }, isOver: false } });
    expect(await sentence(id)).toContain('a person decides');
    expect((await decide('stage', version, { stage: 'enforce' })).body.stage).toBe('enforce');
  });

  it('is bound by the terms that were signed, not by those of a row that was changed', async () => {
    const { version, run } = await audited(await makeApplication());
    await api.owner.query(
      `UPDATE profile_version SET audit_terms = audit_terms || '{"quietRuns": 1, "inputs": 1}' WHERE id = $1`,
      [version.id],
    );
    for (const input of ['a', 'b']) await run(input);
    await api.dispatcherHasLooked();
    expect((await detail(version.id)).stage).toBe('audit');
  });

  it('lets its waiting jobs go when it is revoked', async () => {
    const app = await makeApplication();
    const { version } = await audited(app);
    await endAudit(version.id);
    const { jobId } = await hold(app, 'sha256:content', 'waiting-for-stage-decision');
    await decide('revoke', version);
    expect(await job(jobId)).toMatchObject({ fence: 2 });
  });
});

/** As workers see it. */
async function isOver(versionId: string): Promise<boolean> {
  const { rows } = await api.owner.query(`SELECT audit_over FROM profile_version WHERE id = $1`, [versionId]);
  return rows[0].audit_over as boolean;
}

describe('the stage of a version', () => {
  it('is changed by reviewers, for the digest that they saw, and of an approved version alone', async () => {
    const app = await makeApplication();
    const version = await app.learn(WORK);
    const path = `/api/v1/profiles/${version.id}/stage`;
    const body = { digest: version.digest, stage: 'enforce', reason: 'sure' };
    expect((await api.post(keys.reviewer, path, body).expect(409)).body.code).toBe('wrong-profile-state');
    await decide('approve', version, { stage: 'enforce' });
    await api.post(keys.submitter, path, body).expect(403);
    const stale = { ...body, digest: `sha256:${'0'.repeat(64)}` };
    expect((await api.post(keys.reviewer, path, stale).expect(409)).body.code).toBe('stale-digest');
    const { rows } = await api.owner.query(`SELECT signature FROM profile_version WHERE id = $1`, [version.id]);
    expect((await api.post(keys.reviewer, path, { ...body, stage: 'audit' }).expect(200)).body.stage).toBe('audit');
    const after = await api.owner.query(`SELECT signature FROM profile_version WHERE id = $1`, [version.id]);
    expect(after.rows[0].signature).not.toBe(rows[0].signature);
  });
});

describe('a new image content', () => {
  const approvedOf = async (buildId: string) =>
    (await api.owner.query(`SELECT id FROM profile_version WHERE build_id = $1 AND state = 'APPROVED'`, [buildId]))
      .rows[0]?.id as string | undefined;

  /** Waits for a version of the build that is approved. */
  async function heirOf(buildId: string) {
    await eventually(async () => expect(await approvedOf(buildId)).toBeDefined());
    return detail((await approvedOf(buildId)) ?? '');
  }

  it('gets the rules of the last approved build, in audit, and its jobs go', async () => {
    const app = await makeApplication();
    const source = await app.learn(WORK);
    await decide('approve', source, { stage: 'enforce' });
    const { jobId, buildId } = await hold(app, 'sha256:new', 'waiting-for-inherited-profile');
    const heir = await heirOf(buildId);
    expect(heir).toMatchObject({
      ...{ buildId, digest: source.digest, state: 'APPROVED', stage: 'audit', inheritedFrom: source.id, coverage: {} },
      decisions: [{ rule: 'inheritance', decidedBy: null }],
    });
    expect(new Set(Object.values<{ origin: string }>(heir.origins).map(({ origin }) => origin))).toEqual(
      new Set(['inherited']),
    );
    expect(parseStatement(heir.decisions[0].statement)?.audit).toMatchObject({ inherited: true, quietRuns: 3 });
    await eventually(async () =>
      expect(await job(jobId)).toMatchObject({ fence: 2, waitingReason: 'waiting-for-slot' }),
    );
    // What a run of it must do to count is known from the recordings behind the rules.
    const run = (inputsDigest: string, calls: string[]) =>
      app.run({ inputsDigest, calls, enforcement: 'audit', profileVersionId: heir.id, content: 'sha256:new' });
    for (const input of ['a', 'b', 'c']) await run(input, ['read']);
    await api.dispatcherHasLooked();
    expect(await sentence(heir.id)).toBe('audit: 0 of 3 quiet runs, 0 of 2 inputs');
    for (const input of ['a', 'b', 'c']) await run(input, WORK);
    await eventually(async () => expect((await detail(heir.id)).stage).toBe('enforce'));
  });

  it('is measured by what its program does, not by the one run that healed it', async () => {
    const app = await makeApplication();
    await decide('approve', await app.learn(WORK), { stage: 'enforce' });
    const { buildId } = await hold(app, 'sha256:new', 'waiting-for-inherited-profile');
    const heir = await heirOf(buildId);
    const run = (profileVersionId: string, inputsDigest: string, calls: string[]) =>
      app.run({ inputsDigest, calls, enforcement: 'audit', profileVersionId, content: 'sha256:new' });
    await run(heir.id, 'a', ['read', 'eventfd2']);
    const healed = await proposedOf(app);
    expect((await detail(healed.id)).coverage.eventfd2).toEqual({ seenIn: 1, of: 1 });
    await decide('approve', healed);
    for (const input of ['a', 'b', 'c']) await run(healed.id, input, ['read', 'eventfd2']);
    await api.dispatcherHasLooked();
    expect(await sentence(healed.id)).toBe('audit: 0 of 3 quiet runs, 0 of 2 inputs');
    for (const input of ['a', 'b', 'c']) await run(healed.id, input, WORK);
    await eventually(async () => expect((await detail(healed.id)).stage).toBe('enforce'));
  });

  it('proposes what its inherited audit refused, which no other audit would', async () => {
    const app = await makeApplication();
    await decide('approve', await app.learn(WORK), { stage: 'enforce' });
    const { buildId } = await hold(app, 'sha256:new', 'waiting-for-inherited-profile');
    const heir = await heirOf(buildId);
    const { runId, jobId } = await app.run({
      ...{ content: 'sha256:new', enforcement: 'audit', profileVersionId: heir.id, isHeld: true },
      ...{ calls: WORK, denials: [{ call: 'kill', arguments: ['0x5', '0xf'] }] },
    });
    await eventually(async () => {
      const { rows } = await api.owner.query(`SELECT held_version_id FROM job WHERE id = $1`, [jobId]);
      expect(rows[0].held_version_id).not.toBeNull();
      expect((await detail(rows[0].held_version_id)).origins.kill).toEqual({ origin: 'denied', run: runId });
    });
  });

  it('never gets rules again once some were revoked for it, those of a later approval neither: a person decides', async () => {
    const app = await makeApplication();
    await decide('approve', await app.learn(WORK), { stage: 'enforce' });
    const { buildId } = await hold(app, 'sha256:new', 'waiting-for-inherited-profile');
    await decide('revoke', await heirOf(buildId));
    const { jobId } = await hold(app, 'sha256:new', 'waiting-for-inherited-profile');
    await eventually(async () => expect(await job(jobId)).toMatchObject({ fence: 2 }));
    expect(await plannedFor(buildId)).toBe('hold');
    const waiting = await hold(app, 'sha256:new', 'waiting-for-approved-profile');
    // Other rules of the application's are none to inherit either.
    await app.run({ inputsDigest: 'x', calls: [...WORK, 'kill'], enforcement: 'audit', content: 'sha256:content' });
    await decide('approve', await proposedOf(app), { stage: 'enforce' });
    await api.dispatcherHasLooked();
    await api.dispatcherHasLooked();
    expect(await approvedOf(buildId)).toBeUndefined();
    expect(await job(waiting.jobId)).toMatchObject({ fence: 1, waitingReason: 'waiting-for-approved-profile' });
    await api.patch(keys.admin, `/api/v1/applications/${app.id}`, { onNewBuild: 'learn' }).expect(200);
    await eventually(async () => expect(await job(waiting.jobId)).toMatchObject({ fence: 2 }));
  });

  it('gets none where a proposal for it was rejected', async () => {
    const app = await makeApplication();
    for (const inputsDigest of ['a', 'b', 'b']) await app.run({ inputsDigest, calls: ['read'], content: 'sha256:new' });
    const own = await app.version(1);
    await decide('reject', own);
    const { buildId } = await detail(own.id);
    for (const inputsDigest of ['a', 'b', 'b']) await app.run({ inputsDigest, calls: WORK });
    await decide('approve', await proposedOf(app), { stage: 'enforce' });
    const { jobId } = await hold(app, 'sha256:new', 'waiting-for-inherited-profile');
    await eventually(async () => expect(await job(jobId)).toMatchObject({ fence: 2 }));
    expect(await approvedOf(buildId)).toBeUndefined();
    expect(await plannedFor(buildId)).toBe('hold');
    expect(await plannedFor(buildId, 'learn')).toBe('learn');
  });

  /** As a worker sees it that holds a job of the build. */
  async function plannedFor(buildId: string, setting: OnNewBuild = 'inherit'): Promise<OnNewBuild | null> {
    const name = randomUUID();
    const { ownerUrl } = api.database;
    const database = openAsNode(ownerUrl, await addTestNode(ownerUrl, name));
    try {
      await api.owner.query(
        `INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at)
         SELECT job_id, 99, node.id, 'OPEN', now() + interval '1 h' FROM executor, node
         WHERE build_id = $1 AND node.name = $2 ORDER BY job_id LIMIT 1`,
        [buildId, name],
      );
      return onNewBuild(await new PlanStore(database).buildStanding({ jobId: '', number: 99 }, buildId, null), setting);
    } finally {
      await api.owner.query('DELETE FROM attempt WHERE number = 99');
      await database.end();
    }
  }

  it('inherits from the last approval that verifies, and waits for a person where none does', async () => {
    const app = await makeApplication();
    const source = await app.learn(WORK);
    await decide('approve', source, { stage: 'enforce' });
    const damage = (versionId: string) =>
      api.owner.query(`UPDATE profile_version SET signature = 'AAAA' WHERE id = $1`, [versionId]);
    const second = await hold(app, 'sha256:second', 'waiting-for-inherited-profile');
    await damage((await heirOf(second.buildId)).id);
    const third = await hold(app, 'sha256:third', 'waiting-for-inherited-profile');
    const heir = await heirOf(third.buildId);
    expect(heir.inheritedFrom).toBe(source.id);

    await damage(heir.id);
    await damage(source.id);
    const { jobId, buildId } = await hold(app, 'sha256:fourth', 'waiting-for-inherited-profile');
    await eventually(async () => expect((await job(jobId)).waitingReason).toBe('waiting-for-approved-profile'));
    expect(await plannedFor(buildId)).toBe('hold');
    await api.dispatcherHasLooked();
    await api.dispatcherHasLooked();
    expect(await job(jobId)).toMatchObject({ fence: 1, waitingReason: 'waiting-for-approved-profile' });
    expect(await approvedOf(buildId)).toBeUndefined();

    await decide('stage', source, { stage: 'enforce' });
    expect(await job(jobId)).toMatchObject({ fence: 2 });
    expect(await plannedFor(buildId)).toBe('inherit');
  });

  it('is held or learned where the application says so', async () => {
    const app = await makeApplication({ onNewBuild: 'hold' });
    await decide('approve', await app.learn(WORK), { stage: 'enforce' });
    const { jobId } = await hold(app, 'sha256:new', 'waiting-for-approved-profile');
    await api.dispatcherHasLooked();
    await api.dispatcherHasLooked();
    expect(await job(jobId)).toMatchObject({ fence: 1 });
    await api.patch(keys.admin, `/api/v1/applications/${app.id}`, { onNewBuild: 'learn' }).expect(200);
    expect(await job(jobId)).toMatchObject({ fence: 2 });
  });
});

describe('additions that give no authority', () => {
  const harmless = { denials: [{ call: 'eventfd2', arguments: ['0x0', '0x80000'] }] };

  it('are approved by the rule that an administrator switched on, and stay enforced', async () => {
    const app = await makeApplication({ autoApprove: 'harmless' });
    const version = await app.learn(WORK);
    await decide('approve', version, { stage: 'enforce' });
    const { jobId } = await app.run({
      ...{ enforcement: 'enforce', profileVersionId: version.id, isHeld: true, calls: WORK, ...harmless },
    });
    await eventually(async () =>
      expect(await app.states()).toEqual([
        [2, 'APPROVED'],
        [1, 'SUPERSEDED'],
      ]),
    );
    const next = await detail((await app.version(2)).id);
    expect(next).toMatchObject({
      stage: 'enforce',
      additionClasses: ['harmless'],
      decisions: [{ rule: 'auto-approve', decidedBy: null }],
    });
    expect(await job(jobId)).toMatchObject({ fence: 2, waitingReason: 'waiting-for-slot' });
  });

  it.each([
    ['nobody switched it on', {}, harmless],
    ['they give authority', { autoApprove: 'harmless' }, { denials: [...harmless.denials, { call: 'kill' }] }],
  ])('wait for a person where %s', async (_name, settings, run) => {
    const app = await makeApplication(settings);
    const version = await app.learn(WORK);
    await decide('approve', version, { stage: 'enforce' });
    await app.run({ enforcement: 'enforce', profileVersionId: version.id, isHeld: true, calls: WORK, ...run });
    await app.version(2);
    await api.dispatcherHasLooked();
    expect(await app.states()).toEqual([
      [2, 'PROPOSED'],
      [1, 'APPROVED'],
    ]);
  });

  it('are not approved where their text is not what their digest says', async () => {
    const app = await makeApplication();
    const version = await app.learn(WORK);
    await decide('approve', version, { stage: 'enforce' });
    await app.run({ enforcement: 'enforce', profileVersionId: version.id, isHeld: true, calls: WORK, ...harmless });
    const { id } = await app.version(2);
    await api.owner.query('ALTER TABLE profile_version DISABLE TRIGGER profile_version_immutable');
    await api.owner.query(
      `UPDATE profile_version SET canonical = replace(canonical, 'eventfd2', 'getppid') WHERE id = $1`,
      [id],
    );
    await api.owner.query('ALTER TABLE profile_version ENABLE TRIGGER profile_version_immutable');
    await api.patch(keys.admin, `/api/v1/applications/${app.id}`, { autoApprove: 'harmless' }).expect(200);
    await api.dispatcherHasLooked();
    expect(await app.states()).toEqual([
      [2, 'PROPOSED'],
      [1, 'APPROVED'],
    ]);
  });

  it('keep the end of the audit and the runs that count: nobody stays in it by making some', async () => {
    const app = await makeApplication({ autoApprove: 'harmless', quietRunsNeeded: 30 });
    const { version, run } = await audited(app);
    const { promotion, stageSince } = await detail(version.id);
    let approved = version.id;
    const additions = ['eventfd2', 'fork', 'epoll_wait', 'timer_settime'];
    for (const [index, call] of additions.entries()) {
      const calls = [...WORK, call];
      await run(`input ${index}`, { calls, profileVersionId: approved, denials: [{ call, action: 'continued' }] });
      await app.settled();
      await api.dispatcherHasLooked();
      const { rows } = await api.owner.query(
        `SELECT version.id FROM profile_version AS version JOIN build ON build.id = build_id
         WHERE application_id = $1 AND state = 'APPROVED'`,
        [app.id],
      );
      approved = rows[0].id;
    }
    expect(approved).not.toBe(version.id);
    const now = await detail(approved);
    expect(now).toMatchObject({ stage: 'audit', stageSince, promotion: { until: promotion.until } });
    expect(now.promotion.runs.have).toBe(additions.length);
  });
});

/** As if its statement had been signed with an end in the past. */
async function endAudit(versionId: string): Promise<void> {
  const { rows } = await api.owner.query(`SELECT statement FROM profile_version WHERE id = $1`, [versionId]);
  const signed = parseStatement(rows[0].statement);
  if (!signed?.audit) throw new Error('the version is not in audit');
  const audit = { ...signed.audit, until: new Date(Date.now() - 1000).toISOString() };
  const statement = { ...signed, audit };
  await api.owner.query(`UPDATE profile_version SET statement = $2, signature = $3, audit_terms = $4 WHERE id = $1`, [
    versionId,
    canonicalStatement(statement),
    signStatement(api.privateKey, statement),
    JSON.stringify(audit),
  ]);
}
