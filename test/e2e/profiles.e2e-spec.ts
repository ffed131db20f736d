import { randomUUID } from 'node:crypto';
import {
  allowedNames,
  parseStatement,
  profileDigest,
  recordingDigest,
  trustedKeys,
  verifyApproval,
  verifyStatement,
} from '#lib/profiles';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { type ListedProfile, makeLearningApplication } from '../support/learning-application.js';
import { type RecordedJobOptions } from '../support/recorded-job.js';
import { recordingOf } from '../support/worker-rows.js';
import { isQueuedOrPlaced } from '../support/queue-rows.js';

let api: TestApi;
let keys: Record<'submitter' | 'reviewer' | 'admin' | 'stranger', string>;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi();
  keys = {
    submitter: await api.makeKey({ role: 'submitter' }),
    reviewer: await api.makeKey({ role: 'reviewer' }),
    admin: await api.makeKey({ role: 'admin' }),
    stranger: await api.makeKey({ role: 'admin', tenant: 'elsewhere' }),
  };
  nodeId = await api.worker.addNode({ slots: 100 });
});

afterAll(() => api.stop());

const makeApplication = (settings: object = {}) => makeLearningApplication(api, { keys, nodeId, settings });

const decide = (key: string, verb: string, { id, digest }: { id: string; digest: string }) =>
  api.post(key, `/api/v1/profiles/${id}/${verb}`, {
    ...{ digest, reason: 'looked at it' },
    ...(verb === 'approve' && { stage: 'enforce' }),
  });
const detail = async (id: string) => (await api.get(keys.reviewer, `/api/v1/profiles/${id}`).expect(200)).body;
/** What was seen, without what every profile holds or its families bring. */
const seenOf = ({ origins }: { origins: Record<string, { origin: string }> }) =>
  Object.keys(origins)
    .filter((name) => origins[name]?.origin === 'seen')
    .sort();
const auditOf = async (id: string) =>
  (await api.owner.query(`SELECT action FROM audit WHERE subject_id = $1 ORDER BY id`, [id])).rows.map(
    (row: { action: string }) => row.action,
  );

describe('a proposal', () => {
  it('comes from enough complete recordings on enough inputs, with coverage', async () => {
    const { run, profiles, settled, version, id } = await makeApplication();
    await run({ inputsDigest: 'a', calls: ['read', 'kill'] });
    await run({ inputsDigest: 'a', calls: ['read'] });
    await run({ inputsDigest: 'a', calls: ['read'] });
    await settled();
    expect(await profiles()).toEqual([]);
    const { runId, jobId } = await run({ inputsDigest: 'b', calls: ['read', 'execve'] });
    const proposed = await version(1);
    expect(proposed).toMatchObject({ state: 'PROPOSED', applicationId: id, recordings: 4, basedOn: null });

    const described = await detail(proposed.id);
    expect(seenOf(described)).toEqual(['execve', 'kill', 'read']);
    expect(described.calls).toBe(allowedNames(described.profile).length);
    expect(proposed).toMatchObject({ calls: described.calls });
    expect(profileDigest(described.profile)).toBe(proposed.digest);
    expect(described.coverage).toMatchObject({
      execve: { seenIn: 1, of: 4 },
      futex: { seenIn: 0, of: 4 },
      kill: { seenIn: 1, of: 4 },
      read: { seenIn: 4, of: 4 },
    });
    const warnings = described.lint.map((warning: { name: string; kind: string }) => `${warning.kind} ${warning.name}`);
    expect(warnings).toEqual(expect.arrayContaining(['risky execve', 'rare execve', 'rare kill']));
    expect(described.recordings).toHaveLength(4);
    const digest = recordingDigest(recordingOf(['read', 'execve']));
    expect(described.recordings).toContainEqual({ executorRunId: runId, jobId, digest });
    expect(await auditOf(proposed.id)).toEqual(['profile.propose']);
  });

  it.each<[string, Partial<RecordedJobOptions>]>([
    ['a partial recording', { partialReasons: ['map-failure'] }],
    ['a payload that failed', { exitCode: 1 }],
    ['a payload that a signal killed', { exitCode: null, outcome: 'signaled' }],
    ['a job that the grid failed', { state: 'SYSTEM_ERROR' }],
    ['a job that was canceled', { state: 'CANCELED' }],
    ['enforcement without an approved version', { enforcement: 'audit' }],
    ['another build', { content: 'sha256:other' }],
  ])('learns nothing from %s', async (_name, options) => {
    const { run, profiles, settled } = await makeApplication();
    for (const inputsDigest of ['a', 'b']) await run({ inputsDigest, calls: ['read'] });
    await run({ inputsDigest: 'c', calls: ['read', 'ptrace'], ...options });
    await settled();
    expect(await profiles()).toEqual([]);
  });

  it('learns nothing from a recording whose content is not what its digest says, or names unknown calls', async () => {
    const { run, profiles, settled } = await makeApplication();
    for (const inputsDigest of ['a', 'b']) await run({ inputsDigest, calls: ['read'] });
    await run({ inputsDigest: 'c', calls: ['no_such_call'] });
    const { runId } = await run({ inputsDigest: 'c', state: 'COMPLETE' });
    const content = JSON.stringify(recordingOf(['read', 'ptrace']));
    await api.owner.query(
      `INSERT INTO recording (executor_run_id, digest, content, partial_reasons) VALUES ($1, $2, $3, '{}')`,
      [runId, recordingDigest(recordingOf(['read'])), content],
    );
    await settled();
    expect(await profiles()).toEqual([]);
  });

  it('supersedes the one before it when a new recording brings a new call, and not when it brings none', async () => {
    const { run, learn, states, settled, version } = await makeApplication();
    const first = await learn(['read']);
    await run({ inputsDigest: 'c', calls: ['read'] });
    await settled();
    expect(await states()).toEqual([[1, 'PROPOSED']]);
    expect((await detail(first.id)).coverage).toMatchObject({ read: { seenIn: 4, of: 4 } });
    await run({ inputsDigest: 'c', calls: ['read', 'kill'] });
    await version(2);
    expect(await states()).toEqual([
      [2, 'PROPOSED'],
      [1, 'SUPERSEDED'],
    ]);
    expect((await decide(keys.reviewer, 'approve', first).expect(409)).body.code).toBe('wrong-profile-state');
  });

  it('only widens the approved version, from recordings under audit too', async () => {
    const { run, learn, version } = await makeApplication();
    const approved = await learn(['read', 'kill']);
    await decide(keys.reviewer, 'approve', approved).expect(200);
    await run({
      inputsDigest: 'c',
      calls: ['read', 'socketpair'],
      enforcement: 'audit',
      profileVersionId: approved.id,
    });
    const next = await version(2);
    expect(next).toMatchObject({ state: 'PROPOSED', basedOn: approved.id });
    const { body } = await api.get(keys.reviewer, `/api/v1/profiles/${next.id}/diff`).expect(200);
    expect(body.previousId).toBe(approved.id);
    expect(body.previous.added).toContain('socketpair');
    expect(body.previous.removed).toEqual([]);
    expect(body.previous.unchanged).toEqual(expect.arrayContaining(['kill', 'read']));
  });

  it('after a rejection needs as much new evidence as the first one did', async () => {
    const { run, learn, profiles, settled, version } = await makeApplication();
    await decide(keys.reviewer, 'reject', await learn(['read', 'ptrace'])).expect(200);
    for (const inputsDigest of ['a', 'b']) await run({ inputsDigest, calls: ['read'] });
    await settled();
    expect(await profiles()).toHaveLength(1);
    await run({ inputsDigest: 'c', calls: ['read'] });
    expect(seenOf(await detail((await version(2)).id))).toEqual(['read']);
  });

  it('brings back a superseded version that nobody decided about, and never a rejected one', async () => {
    const { run, learn, states, settled, version } = await makeApplication();
    const first = await learn(['read']);
    await run({ inputsDigest: 'c', calls: ['read', 'ptrace'] });
    await decide(keys.reviewer, 'reject', await version(2)).expect(200);
    for (const inputsDigest of ['a', 'b', 'c']) await run({ inputsDigest, calls: ['read'] });
    await eventually(async () => expect((await detail(first.id)).state).toBe('PROPOSED'));
    await decide(keys.reviewer, 'reject', first).expect(200);
    for (const inputsDigest of ['a', 'b', 'c']) await run({ inputsDigest, calls: ['read'] });
    await settled();
    expect(await states()).toEqual([
      [2, 'REJECTED'],
      [1, 'REJECTED'],
    ]);
  });

  it('is made when an administrator asks for less evidence', async () => {
    const { id, run, profiles, settled, version } = await makeApplication();
    for (const inputsDigest of ['a', 'b']) await run({ inputsDigest, calls: ['read'] });
    await settled();
    expect(await profiles()).toEqual([]);
    await api.patch(keys.admin, `/api/v1/applications/${id}`, { recordingsNeeded: 2 }).expect(200);
    expect((await version(1)).state).toBe('PROPOSED');
  });
});

describe('a decision', () => {
  it('approves exactly the digest that was reviewed', async () => {
    const { learn } = await makeApplication();
    const version = await learn(['read']);
    const stale = { id: version.id, digest: `sha256:${'0'.repeat(64)}` };
    const refused = await decide(keys.reviewer, 'approve', stale).expect(409);
    expect(refused.body.code).toBe('stale-digest');
    expect((await detail(version.id)).state).toBe('PROPOSED');
  });

  it('is signed over what it approves, and the signature fits nothing else', async () => {
    const { id, learn } = await makeApplication();
    const version = await learn(['read']);
    const { body } = await decide(keys.reviewer, 'approve', version).expect(200);
    expect(body).toMatchObject({ state: 'APPROVED', decisions: [{ stage: 'approved', reason: 'looked at it' }] });

    const { rows } = await api.owner.query(
      `SELECT statement, signature, content_digest, build.application_id FROM profile_version JOIN build ON build.id = build_id
       WHERE profile_version.id = $1`,
      [version.id],
    );
    const subject = {
      application: id,
      contentDigest: rows[0].content_digest,
      architecture: 'x86_64',
      profileDigest: version.digest,
    } as const;
    expect(verifyApproval(trustedKeys([api.publicKey]), rows[0], subject)).toMatchObject({
      kind: 'verified',
      audit: null,
    });
    expect(verifyApproval(trustedKeys([api.publicKey]), rows[0], { ...subject, application: randomUUID() })).toEqual({
      kind: 'other-subject',
    });
    expect(body.decisions[0]).toMatchObject({ statement: rows[0].statement, signature: rows[0].signature });
    expect(await auditOf(version.id)).toEqual(['profile.propose', 'profile.approved']);
  });

  it('supersedes the version approved before', async () => {
    const { run, learn, states, version } = await makeApplication();
    await decide(keys.reviewer, 'approve', await learn(['read'])).expect(200);
    await run({ inputsDigest: 'c', calls: ['kill'] });
    await decide(keys.admin, 'approve', await version(2)).expect(200);
    expect(await states()).toEqual([
      [2, 'APPROVED'],
      [1, 'SUPERSEDED'],
    ]);
  });

  it('is made once, when two reviewers decide at the same time', async () => {
    const { learn } = await makeApplication();
    const version = await learn(['read']);
    const answers = await Promise.all([
      decide(keys.reviewer, 'approve', version),
      decide(keys.admin, 'approve', version),
      decide(keys.admin, 'reject', version),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect((await detail(version.id)).decisions).toHaveLength(1);
  });

  it('revokes an approved version with a signed statement, which takes the place of the approval’s', async () => {
    const { learn } = await makeApplication();
    const version = await learn(['read']);
    expect((await decide(keys.admin, 'revoke', version).expect(409)).body.code).toBe('wrong-profile-state');
    await decide(keys.admin, 'approve', version).expect(200);
    const { body } = await decide(keys.admin, 'revoke', version).expect(200);
    expect(body.state).toBe('REVOKED');
    const [approval, revocation] = body.decisions;
    expect(revocation.sequence).toBeGreaterThan(approval.sequence);
    const { rows } = await api.owner.query(`SELECT statement, signature FROM profile_version WHERE id = $1`, [
      version.id,
    ]);
    expect(rows[0]).toEqual({ statement: revocation.statement, signature: revocation.signature });
    const statement = parseStatement(revocation.statement);
    expect(statement?.stage).toBe('revoked');
    expect(statement && verifyStatement(api.publicKey, statement, revocation.signature)).toBe(true);
    expect(await auditOf(version.id)).toEqual(['profile.propose', 'profile.approved', 'profile.revoked']);
  });

  it('refuses a profile that was changed in the database by hand', async () => {
    const { learn } = await makeApplication();
    const version = await learn(['read']);
    await api.owner.query('ALTER TABLE profile_version DISABLE TRIGGER profile_version_immutable');
    await api.owner.query(`UPDATE profile_version SET canonical = replace(canonical, 'read', 'bpf') WHERE id = $1`, [
      version.id,
    ]);
    await api.owner.query('ALTER TABLE profile_version ENABLE TRIGGER profile_version_immutable');
    expect((await decide(keys.admin, 'approve', version).expect(500)).body.code).toBe('profile-integrity');
  });

  it('is for reviewers and admins of the tenant alone', async () => {
    const { id, learn } = await makeApplication();
    const version = await learn(['read']);
    for (const verb of ['approve', 'reject', 'revoke']) {
      expect((await decide(keys.submitter, verb, version).expect(403)).body.code).toBe('role-required');
      await decide(keys.stranger, verb, version).expect(404);
    }
    const path = `/api/v1/profiles/${version.id}`;
    for (const part of ['', '/diff', '/export', '/review']) await api.get(keys.stranger, `${path}${part}`).expect(404);
    await api.get(keys.stranger, `/api/v1/applications/${id}/profiles`).expect(404);
    const listed = await api.get(keys.stranger, '/api/v1/profiles').expect(200);
    expect(listed.body).toEqual({ profiles: [], next: null });
  });

  it('needs a reason where the version adds authority, and else none', async () => {
    const { run, learn, version } = await makeApplication();
    const { id, digest } = await learn(['read', 'kill']);
    for (const reason of [undefined, ' ']) {
      for (const verb of ['approve', 'reject']) {
        const refused = await api.post(keys.reviewer, `/api/v1/profiles/${id}/${verb}`, { digest, reason }).expect(422);
        expect(refused.body.code).toBe('reason-required');
      }
    }
    await decide(keys.reviewer, 'approve', { id, digest }).expect(200);
    await run({ inputsDigest: 'c', calls: ['read', 'kill', 'mkdir'] });
    const harmless = await version(2);
    const approved = await api
      .post(keys.reviewer, `/api/v1/profiles/${harmless.id}/approve`, { digest: harmless.digest })
      .expect(200);
    expect(approved.body.decisions[0]).toMatchObject({ stage: 'approved', reason: '' });
    await run({ inputsDigest: 'd', calls: ['read', 'socketpair'] });
    const wider = await version(3);
    const path = `/api/v1/profiles/${wider.id}/approve`;
    expect((await api.post(keys.reviewer, path, { digest: wider.digest }).expect(422)).body.code).toBe(
      'reason-required',
    );
    const revoked = { digest: harmless.digest, reason: 'no longer needed' };
    await api.post(keys.reviewer, `/api/v1/profiles/${harmless.id}/revoke`, revoked).expect(200);
  });

  it('takes nothing for approved before that was rejected, superseded undecided, or revoked', async () => {
    const { run, learn, version } = await makeApplication();
    await learn(['read', 'kill']);
    await run({ inputsDigest: 'c', calls: ['read', 'kill', 'mkdir'] });
    const second = await version(2);
    const approve = (reason?: string) =>
      api.post(keys.reviewer, `/api/v1/profiles/${second.id}/approve`, { digest: second.digest, reason });
    expect((await approve().expect(422)).body.code).toBe('reason-required');
    await approve('needs kill').expect(200);
    await run({ inputsDigest: 'd', calls: ['read', 'rmdir', 'symlink'] });
    await run({ inputsDigest: 'd', calls: ['read', 'epoll_create1'] });
    const third = await version(3);
    const revoked = { digest: second.digest, reason: 'a mistake' };
    await api.post(keys.reviewer, `/api/v1/profiles/${second.id}/revoke`, revoked).expect(200);
    const path = `/api/v1/profiles/${third.id}/approve`;
    expect((await api.post(keys.reviewer, path, { digest: third.digest }).expect(422)).body.code).toBe(
      'reason-required',
    );
  });

  it('releases the jobs of the build that waited for it, and no others', async () => {
    const { name, learn } = await makeApplication({ policy: 'learn', onNewBuild: 'hold' });
    const version = await learn(['read']);
    const { id } = (await api.get(keys.admin, `/api/v1/applications?name=${name}`).expect(200)).body.applications[0];
    await api.patch(keys.admin, `/api/v1/applications/${id}`, { policy: 'hold' }).expect(200);
    const hold = async (content: string) => {
      const submitted = await api.post(keys.submitter, '/api/v1/jobs', { executors: [{ application: name }] });
      const attempt = await api.worker.claim(submitted.body.id, nodeId);
      await api.worker.resolveBuild(attempt.jobId, content);
      await api.worker.hold(attempt, 'waiting-for-approved-profile');
      return attempt.jobId;
    };
    const [waiting, ofAnotherBuild] = [await hold('sha256:content'), await hold('sha256:other')];
    const read = async (job: string) => (await api.get(keys.submitter, `/api/v1/jobs/${job}`).expect(200)).body;
    expect(await read(waiting)).toMatchObject({ fence: 1, waitingReason: 'waiting-for-approved-profile' });

    await decide(keys.reviewer, 'approve', version).expect(200);
    expect(await read(waiting)).toMatchObject({ state: 'QUEUED', fence: 2, waitingReason: 'waiting-for-slot' });
    expect(await read(ofAnotherBuild)).toMatchObject({ fence: 1, waitingReason: 'waiting-for-approved-profile' });
    expect(await isQueuedOrPlaced(api.owner, waiting)).toBe(true);
  });
});

describe('profile versions', () => {
  it('are listed by state and application, in pages', async () => {
    const { id, run, learn, version } = await makeApplication();
    await learn(['read']);
    await run({ inputsDigest: 'c', calls: ['kill'] });
    await version(2);
    const list = async (query: string) =>
      (await api.get(keys.submitter, `/api/v1/profiles?applicationId=${id}${query}`).expect(200)).body;
    expect((await list('&state=PROPOSED')).profiles.map(({ number }: ListedProfile) => number)).toEqual([2]);
    const page = await list('&limit=1');
    expect(page.profiles[0].number).toBe(2);
    expect((await list(`&limit=1&after=${page.next}`)).profiles[0].number).toBe(1);
    await api.get(keys.submitter, '/api/v1/profiles?state=WRONG').expect(400);
    await api.get(keys.submitter, '/api/v1/profiles?stat=PROPOSED').expect(400);
  });

  it('are compared with the engine’s default and exported for other engines', async () => {
    const { learn } = await makeApplication();
    const { id } = await learn(['read', 'bpf']);
    const diff = (await api.get(keys.submitter, `/api/v1/profiles/${id}/diff`).expect(200)).body;
    expect(diff).toMatchObject({ previousId: null, previous: null });
    expect(diff.engineDefault.added).toEqual(['bpf']);
    expect(diff.engineDefault.unchanged).toContain('read');
    expect(diff.engineDefault.removed).toContain('socket');
    const exported = (await api.get(keys.submitter, `/api/v1/profiles/${id}/export`).expect(200)).body;
    expect(exported).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', architectures: ['SCMP_ARCH_X86_64'] });
    const allowed = exported.syscalls.filter(({ action }: { action: string }) => action === 'SCMP_ACT_ALLOW');
    expect(allowed[0].names).toContain('read');
    expect(allowed[0].names).not.toContain('bpf');
    expect(allowed[0].names).not.toContain('execve');

    const forRuntimes = await api.get(keys.submitter, `/api/v1/profiles/${id}/export?runtimeCalls=true`).expect(200);
    expect(forRuntimes.body.syscalls).toContainEqual({
      names: expect.arrayContaining(['execve']),
      action: 'SCMP_ACT_ALLOW',
      comment: expect.stringContaining('The container runtime makes these calls itself'),
    });
    await api.get(keys.submitter, `/api/v1/profiles/${id}/export?runtimeCalls=maybe`).expect(400);
  });
});

describe('an import of another engine’s profile', () => {
  const seccomp = {
    defaultAction: 'SCMP_ACT_ERRNO',
    archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
    syscalls: [
      { names: ['read', 'write', 'stat64'], action: 'SCMP_ACT_ALLOW' },
      { names: ['mount'], action: 'SCMP_ACT_ALLOW', includes: { caps: ['CAP_SYS_ADMIN'] } },
      { names: ['fcntl'], action: 'SCMP_ACT_ALLOW', args: [{ index: 1, value: 3, op: 'SCMP_CMP_EQ' }] },
      { names: ['mbind'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
    ],
  };

  it('is proposed as the next version, with a report of what was not taken', async () => {
    const { id, learn } = await makeApplication();
    const { buildId } = await detail((await learn(['read'])).id);
    const path = `/api/v1/applications/${id}/profiles/import`;
    const { body } = await api.post(keys.admin, path, { buildId, seccomp }).expect(201);
    expect(body).toMatchObject({ number: 2, state: 'PROPOSED', calls: 3, recordings: [], basedOn: null });
    expect(body.proposedBy).not.toBeNull();
    expect(body.profile.rules).toEqual([
      { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' },
      { names: ['fcntl'], action: 'SCMP_ACT_ALLOW', args: [{ argument: 1, op: 'SCMP_CMP_EQ', value: '0x3' }] },
      { names: ['mbind'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
    ]);
    expect(body.report).toEqual({
      format: 'docker',
      allowed: ['read', 'write'],
      conditional: ['fcntl'],
      refused: [{ name: 'mbind', errnoRet: 1 }],
      dropped: [
        { at: '$.syscalls[0]', names: ['stat64'], reason: 'x86_64 has no such call' },
        { at: '$.syscalls[1]', names: ['mount'], reason: expect.stringContaining('CAP_SYS_ADMIN') },
      ],
      notes: ['Porin refuses every call of SCMP_ARCH_X86.'],
    });
    await decide(keys.reviewer, 'approve', body).expect(200);

    const exported = (await api.get(keys.admin, `/api/v1/profiles/${body.id}/export`).expect(200)).body;
    const back = (await api.post(keys.admin, path, { buildId, seccomp: exported, format: 'oci' }).expect(201)).body;
    const { body: diff } = await api.get(keys.admin, `/api/v1/profiles/${back.id}/diff`).expect(200);
    // What every program may do is written out in an export.
    const always = ['exit', 'exit_group', 'getcpu', 'gettimeofday', 'restart_syscall', 'rt_sigreturn', 'time'];
    expect(diff.previous).toMatchObject({ added: always, removed: [] });
    expect(diff.conditions).toEqual([]);
  });

  it('keeps what the approved version says beyond calls', async () => {
    const { id, learn } = await makeApplication();
    const { buildId, profile } = await detail((await learn(['read'])).id);
    const files = [{ path: '/etc', rights: ['read'] }];
    const written = { buildId, profile: { ...profile, files, pids: 9 } };
    const { body } = await api.post(keys.admin, `/api/v1/applications/${id}/profiles`, written).expect(201);
    await decide(keys.reviewer, 'approve', body).expect(200);
    const imported = await api
      .post(keys.admin, `/api/v1/applications/${id}/profiles/import`, { buildId, seccomp })
      .expect(201);
    expect(imported.body).toMatchObject({ basedOn: body.id, profile: { files, pids: 9 } });
    expect(imported.body.report.notes).toContainEqual(expect.stringContaining('files, pids'));
  });

  it('is refused in words where it is not understood, and to all but administrators', async () => {
    const { id, learn } = await makeApplication();
    const { buildId } = await detail((await learn(['read'])).id);
    const send = (key: string, document: object) =>
      api.post(key, `/api/v1/applications/${id}/profiles/import`, { buildId, seccomp: document });
    const allowing = await send(keys.admin, { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] }).expect(422);
    expect(allowing.body).toMatchObject({
      code: 'profile-malformed',
      detail: expect.stringContaining('$.defaultAction: is SCMP_ACT_ALLOW'),
    });
    const unknown = await send(keys.admin, { ...seccomp, syscalls: [{ names: ['read'], action: 'ALLOW' }] }).expect(
      422,
    );
    expect(unknown.body.detail).toContain('$.syscalls[0].action');
    expect((await send(keys.reviewer, seccomp).expect(403)).body.code).toBe('role-required');
    await send(keys.stranger, seccomp).expect(404);
  });
});
