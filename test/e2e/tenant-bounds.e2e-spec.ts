import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteExpired } from '../../apps/dispatcher/src/retention/expired.js';
import { changeTenant, type TenantChange } from '../../apps/api/src/tenant/tenant-settings.js';
import { foldUsage } from '#lib/store';
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
      usage: { queuedJobs: 1, proposals: 0 },
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
    const { keys, self, submit, tenant } = await tenantWith({ maxStoredBytes: 2_000 });
    const run = await finishedRun(await submit());
    const before = (await self()).usage.storedBytes as number;
    const artifact = await api.worker.addArtifact(run, 'stdout');
    const log = (bytes: number) => api.owner.query('UPDATE artifact SET bytes = $2 WHERE id = $1', [artifact, bytes]);
    await log(900);
    await foldUsage(manager());
    await log(2_001);
    expect((await self()).usage.storedBytes).toBe(before + 2_001);
    const refused = await api.post(keys.submitter, '/api/v1/jobs', JOB).expect(507);
    expect(refused.body.code).toBe('tenant-storage-full');
    await manager().transaction((transaction) =>
      changeTenant(transaction, { tenant, actor: 'test' }, { retentionDays: 1 }),
    );
    await api.owner.query(`UPDATE artifact SET created_at = now() - interval '2 days' WHERE id = $1`, [artifact]);
    await deleteExpired(manager(), TERMS);
    expect((await self()).usage.storedBytes).toBe(before);
    await submit();
  });

  it('count what jobs bring themselves, of a rerun too, until they are deleted', async () => {
    const { keys, self } = await tenantWith({ maxStoredBytes: 250_000 });
    const content = 'x'.repeat(100_000);
    const big = {
      executors: [{ image: 'debian:12', command: ['true'], environment: { A: 'y'.repeat(10_000) } }],
      inputs: [{ path: '/in/a', content }],
    };
    const used = async () => (await self()).usage.storedBytes as number;
    const { body } = await api.post(keys.submitter, '/api/v1/jobs', big).expect(201);
    const ofOne = await used();
    expect(ofOne).toBeGreaterThan(110_000);
    expect(ofOne).toBeLessThan(111_000);
    await api.post(keys.submitter, `/api/v1/jobs/${body.id}/rerun`).expect(201);
    expect(await used()).toBeGreaterThanOrEqual(2 * ofOne);
    const refused = await api.post(keys.submitter, `/api/v1/jobs/${body.id}/rerun`).expect(507);
    expect(refused.body.code).toBe('tenant-storage-full');
    await api.post(keys.submitter, `/api/v1/jobs/${body.id}/cancel`).expect(200);
    await api.owner.query(`UPDATE job SET ended_at = now() - interval '31 days' WHERE id = $1`, [body.id]);
    while (await deleteExpired(manager(), TERMS));
    expect(await used()).toBeLessThan(ofOne + 1_000);
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
  await api.worker.endJob(attempt, ['COMPLETE'], ['COMPLETE']);
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
    expect((await self()).usage).toMatchObject({ queuedJobs: 1 });
  });

  it('deletes recordings that no version stands on', async () => {
    const { keys } = await tenantWith({});
    const [lonely, proposed] = [
      await makeLearningApplication(api, { keys, nodeId }),
      await makeLearningApplication(api, { keys, nodeId }),
    ];
    const { runId } = await lonely.run({ inputsDigest: 'a', calls: ['read'] });
    await lonely.settled();
    await proposed.learn(['read']);
    await api.owner.query(`UPDATE recording SET created_at = now() - interval '21 days'`);
    while (await deleteExpired(manager(), TERMS));
    expect(await count('recording', 'executor_run_id', runId)).toBe(0);
    const { rows } = await api.owner.query(
      `SELECT count(*)::integer AS count FROM recording JOIN executor_run AS run ON run.id = executor_run_id
       JOIN build ON build.id = build_id WHERE application_id = $1`,
      [proposed.id],
    );
    expect(rows[0].count).toBe(3);
  });

  it('deletes a trace of the largest size alone, and small ones together', async () => {
    const { submit, tenant } = await tenantWith({});
    const run = await finishedRun(await submit());
    for (const kind of ['stdout', 'stderr', 'trace'] as const) await api.worker.addArtifact(run, kind);
    const left = async () => (await api.owner.query('SELECT FROM artifact WHERE tenant = $1', [tenant])).rowCount;
    const size = (bytes: number) =>
      api.owner.query(`UPDATE artifact SET bytes = $2, created_at = now() - interval '11 days' WHERE tenant = $1`, [
        tenant,
        bytes,
      ]);
    await size(64 * 1024 ** 2);
    for (const expected of [2, 1]) {
      expect(await deleteExpired(manager(), TERMS)).toBe(true);
      expect(await left()).toBe(expected);
    }
    for (const kind of ['stdout', 'stderr'] as const) {
      await api.owner.query('DELETE FROM artifact WHERE executor_run_id = $1 AND kind = $2', [run, kind]);
      await api.worker.addArtifact(run, kind);
    }
    await size(1_000);
    await deleteExpired(manager(), TERMS);
    expect(await left()).toBe(0);
  });

  it('leaves runs that an audit counts which goes on', async () => {
    const { keys } = await tenantWith({});
    const app = await makeLearningApplication(api, { keys, nodeId });
    const learned = await app.learn(['read', 'exit_group']);
    await api
      .post(keys.admin, `/api/v1/profiles/${learned.id}/approve`, { digest: learned.digest, reason: 'yes' })
      .expect(200);
    const { jobId, runId } = await app.run({ inputsDigest: 'audited', calls: ['read', 'exit_group'] });
    await app.settled();
    await api.owner.query(`UPDATE executor_run SET enforcement = 'audit' WHERE id = $1`, [runId]);
    await age('job', 'ended_at', 'id', jobId, 31);
    await age('recording', 'created_at', 'executor_run_id', runId, 31);
    while (await deleteExpired(manager(), TERMS));
    expect(await count('recording', 'executor_run_id', runId)).toBe(1);
    await api.owner.query(`UPDATE profile_version SET audit_over = true WHERE id = $1`, [learned.id]);
    while (await deleteExpired(manager(), TERMS));
    expect(await count('job', 'id', jobId)).toBe(0);
  });

  it('leaves no place in the queue to a job that ends while it waits', async () => {
    const { keys, submit } = await tenantWith({});
    const job = await submit();
    expect(await count('queue_entry', 'job_id', job)).toBe(1);
    await api.post(keys.submitter, `/api/v1/jobs/${job}/cancel`).expect(200);
    expect(await count('queue_entry', 'job_id', job)).toBe(0);
  });

  it('that fails stops nothing else, of its own or of the dispatcher', async () => {
    const { submit, tenant } = await tenantWith({});
    const run = await finishedRun(await submit());
    await api.worker.addArtifact(run, 'stdout');
    await api.owner.query(`UPDATE artifact SET created_at = now() - interval '11 days' WHERE tenant = $1`, [tenant]);
    const old = await submit();
    await finishedRun(old);
    await age('job', 'ended_at', 'id', old, 31);
    await api.owner.query(`
      CREATE FUNCTION porin.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'as if'; END $$;
      GRANT EXECUTE ON FUNCTION porin.refuse() TO porin_api;
      CREATE TRIGGER refuse BEFORE DELETE ON porin.artifact FOR EACH ROW EXECUTE FUNCTION porin.refuse()`);
    try {
      await expect(deleteExpired(manager(), TERMS)).rejects.toThrow('as if');
      expect(await count('job', 'id', old)).toBe(0);
      // The dispatcher of a new process finds it at once, and goes on placing.
      await api.restart({ PORIN_RETENTION_DAYS: '10' });
      const next = await submit();
      await eventually(async () => {
        const { rows } = await api.owner.query('SELECT dispatched_fence FROM job WHERE id = $1', [next]);
        expect(rows[0]).toEqual({ dispatched_fence: 1 });
      });
    } finally {
      await api.owner.query('DROP TRIGGER refuse ON porin.artifact; DROP FUNCTION porin.refuse()');
    }
  });
});
