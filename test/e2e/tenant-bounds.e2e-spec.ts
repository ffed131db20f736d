import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteExpired } from '../../apps/api/src/dispatch/retention.js';
import { changeTenant, type TenantChange } from '../../apps/api/src/tenant/tenant-settings.js';
import { foldUsage } from '../../apps/api/src/tenant/tenant-usage.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { makeLearningApplication } from '../support/learning-application.js';

let api: TestApi;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi();
  nodeId = await api.worker.addNode({ slots: 20 });
});
afterAll(() => api.stop());

const manager = () => api.app.get(DataSource).manager;
const TERMS = { artifactDays: 10, recordingDays: 20, jobDays: 30 };
const JOB = { executors: [{ image: 'debian:12', command: ['true'] }] };

/** A tenant of its own, with bounds that whoever runs the grid has set. */
async function tenantWith(change: TenantChange) {
  const tenant = randomUUID();
  await manager().transaction((transaction) => changeTenant(transaction, { tenant, actor: 'test' }, change));
  const keys = {
    submitter: await api.makeKey({ role: 'submitter', tenant }),
    admin: await api.makeKey({ role: 'admin', tenant }),
  };
  const self = async () => (await api.get(keys.submitter, '/api/v1/tenants/self').expect(200)).body;
  const submit = async () => {
    const { id } = (await api.post(keys.submitter, '/api/v1/jobs', JOB).expect(201)).body as { id: string };
    return id;
  };
  return { tenant, keys, self, submit };
}

describe('the bounds of a tenant', () => {
  it('are shown with what is used of them, and an administrator of the tenant cannot change them', async () => {
    const { keys, self, submit } = await tenantWith({ maxQueuedJobs: 7 });
    await submit();
    expect(await self()).toMatchObject({
      ...{ maxQueuedJobs: 7, maxProposals: 1_000, defaults: { maxQueuedJobs: 100_000 } },
      usage: { queuedJobs: 1, storedBytes: 0, proposals: 0 },
    });
    for (const bound of ['maxQueuedJobs', 'maxStoredBytes', 'maxImageBytes', 'maxProposals']) {
      const refused = await api.patch(keys.admin, '/api/v1/tenants/self', { [bound]: 1_000_000 }).expect(400);
      expect(refused.body.code).toBe('invalid-request');
    }
  });

  it('refuse a job too many, and take the next one when a job has ended', async () => {
    const { keys, self, submit } = await tenantWith({ maxQueuedJobs: 2 });
    const [first] = [await submit(), await submit()];
    const refused = await api.post(keys.submitter, '/api/v1/jobs', JOB).expect(429);
    expect(refused.body).toMatchObject({ code: 'too-many-jobs' });
    expect((await self()).usage.queuedJobs).toBe(2);
    await api.post(keys.submitter, `/api/v1/jobs/${first}/cancel`).expect(200);
    await submit();
    expect((await self()).usage.queuedJobs).toBe(2);
  });

  it('answer a repeated submission with its job, however many there are', async () => {
    const { keys } = await tenantWith({ maxQueuedJobs: 1 });
    const send = (key: string) => api.post(keys.submitter, '/api/v1/jobs', JOB).set('Idempotency-Key', key);
    const { body } = await send('once').expect(201);
    await send('another').expect(429);
    expect((await send('once')).body.id).toBe(body.id);
  });

  it('count logs and recordings, however the counts are folded, and refuse jobs above it until some are gone', async () => {
    const { keys, self, submit, tenant } = await tenantWith({ maxStoredBytes: 1_000 });
    const run = await finishedRun(await submit());
    const artifact = await api.worker.addArtifact(run, 'stdout');
    const log = (bytes: number) => api.owner.query('UPDATE artifact SET bytes = $2 WHERE id = $1', [artifact, bytes]);
    await log(900);
    await foldUsage(manager());
    await log(1_001);
    expect((await self()).usage.storedBytes).toBe(1_001);
    const refused = await api.post(keys.submitter, '/api/v1/jobs', JOB).expect(507);
    expect(refused.body.code).toBe('tenant-storage-full');
    await manager().transaction((transaction) =>
      changeTenant(transaction, { tenant, actor: 'test' }, { retentionDays: 1 }),
    );
    await api.owner.query(`UPDATE executor_run SET started_at = now() - interval '2 days' WHERE id = $1`, [run]);
    await deleteExpired(manager(), TERMS);
    expect((await self()).usage.storedBytes).toBe(0);
    await submit();
  });

  it('postpone a learned proposal and refuse one by hand, until another is decided', async () => {
    const { keys, self } = await tenantWith({ maxProposals: 1 });
    const [one, two] = [
      await makeLearningApplication(api, { keys, nodeId }),
      await makeLearningApplication(api, { keys, nodeId }),
    ];
    const proposed = await one.learn(['read']);
    for (const inputsDigest of ['a', 'b', 'b']) await two.run({ inputsDigest, calls: ['write'] });
    await two.settled();
    expect(await two.states()).toEqual([]);
    expect((await self()).usage.proposals).toBe(1);
    const learning = (await api.get(keys.submitter, `/api/v1/applications/${two.id}`).expect(200)).body;
    expect(JSON.stringify(learning)).toContain('as many proposed versions as it may have');
    await api.post(keys.admin, `/api/v1/profiles/${proposed.id}/reject`, { digest: proposed.digest, reason: 'no' });
    await eventually(async () => expect(await two.states()).toEqual([[1, 'PROPOSED']]));
  });
});

/** Of a job that is COMPLETE. */
async function finishedRun(jobId: string): Promise<string> {
  const attempt = await api.worker.claim(jobId, nodeId);
  const buildId = await api.worker.resolveBuild(jobId, 'sha256:content');
  const run = await api.worker.startRun(attempt, { buildId });
  await api.worker.endRun(run, {});
  await api.worker.endAttempt(attempt, 'COMPLETE');
  await api.worker.setJob(jobId, 'COMPLETE');
  return run;
}

describe('retention', () => {
  const age = (table: string, column: string, key: string, id: string, days: number) =>
    api.owner.query(`UPDATE ${table} SET ${column} = now() - make_interval(days => $2) WHERE ${key} = $1`, [id, days]);
  const count = async (table: string, key: string, id: string): Promise<number> =>
    (await api.owner.query(`SELECT count(*)::integer AS count FROM ${table} WHERE ${key} = $1`, [id])).rows[0].count;

  it('deletes ended jobs with their runs, and leaves those that wait, are young, or that a version stands on', async () => {
    const { keys, submit, self } = await tenantWith({});
    const app = await makeLearningApplication(api, { keys, nodeId });
    await app.learn(['read', 'exit_group']);
    const [taught] = (
      await api.owner.query(
        'SELECT id FROM job WHERE name IS NOT NULL AND id IN (SELECT job_id FROM executor_run JOIN build ON build.id = build_id WHERE application_id = $1) LIMIT 1',
        [app.id],
      )
    ).rows as { id: string }[];
    const [old, young, waiting] = [await submit(), await submit(), await submit()];
    const run = await finishedRun(old);
    const artifact = await api.worker.addArtifact(run, 'stdout');
    await api.owner.query('UPDATE artifact SET bytes = 5 WHERE id = $1', [artifact]);
    await finishedRun(young);
    for (const id of [old, taught?.id ?? '']) await age('job', 'ended_at', 'id', id, 31);
    await age('job', 'created_at', 'id', waiting, 400);
    while (await deleteExpired(manager(), TERMS));
    await api.get(keys.submitter, `/api/v1/jobs/${old}`).expect(404);
    for (const id of [young, waiting, taught?.id ?? ''])
      await api.get(keys.submitter, `/api/v1/jobs/${id}`).expect(200);
    expect(await count('executor_run', 'job_id', old)).toBe(0);
    expect(await count('outbox', 'job_id', old)).toBe(0);
    expect((await self()).usage).toMatchObject({ queuedJobs: 1 });
  });

  it('deletes recordings that no version stands on, and spent outbox rows', async () => {
    const { keys } = await tenantWith({});
    const [lonely, proposed] = [
      await makeLearningApplication(api, { keys, nodeId }),
      await makeLearningApplication(api, { keys, nodeId }),
    ];
    const { runId, jobId } = await lonely.run({ inputsDigest: 'a', calls: ['read'] });
    await lonely.settled();
    await proposed.learn(['read']);
    await api.owner.query(`UPDATE recording SET created_at = now() - interval '21 days'`);
    await api.owner.query(`UPDATE outbox SET created_at = now() - interval '2 days'`);
    const waiting = await api.post(keys.submitter, '/api/v1/jobs', JOB).expect(201);
    await age('outbox', 'created_at', 'job_id', waiting.body.id, 2);
    while (await deleteExpired(manager(), TERMS));
    expect(await count('recording', 'executor_run_id', runId)).toBe(0);
    expect(await count('outbox', 'job_id', jobId)).toBe(0);
    expect(await count('outbox', 'job_id', waiting.body.id)).toBe(1);
    const { rows } = await api.owner.query(
      `SELECT count(*)::integer AS count FROM recording JOIN executor_run AS run ON run.id = executor_run_id
       JOIN build ON build.id = build_id WHERE application_id = $1`,
      [proposed.id],
    );
    expect(rows[0].count).toBe(3);
  });
});
