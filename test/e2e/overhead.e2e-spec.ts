import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { type RecordedJobOptions, runRecordedJob } from '../support/recorded-job.js';

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

async function makeApplication() {
  const name = `app-${randomUUID()}`;
  const { id } = (await api.post(keys.admin, '/api/v1/applications', { name, image: 'porin/edf:1' }).expect(201)).body;
  const run = (options: Partial<RecordedJobOptions>) =>
    runRecordedJob(api, { key: keys.submitter, application: name, nodeId, monitoring: 'none', ...options });
  const path = `/api/v1/applications/${id as string}`;
  const overhead = async () => (await api.get(keys.submitter, `${path}/overhead`).expect(200)).body;
  return { id, path, run, overhead };
}

describe('the overhead report', () => {
  it('compares runs of equal build, inputs and node, level by level', async () => {
    const { id, run, overhead } = await makeApplication();
    for (const wallUs of [100, 110, 120]) await run({ wallUs });
    for (const wallUs of [220, 200, 240]) await run({ wallUs, monitoring: 'syscalls', calls: ['read'] });
    await run({ wallUs: 990, monitoring: 'syscalls', inputsDigest: 'sha256:other', calls: ['read'] });
    await run({ wallUs: 5_000, exitCode: 1 });
    // Not compared: no machine does so much in so short a time.
    await run({ wallUs: 33, userUs: 2_000_000 });
    await run({ wallUs: 300, enforcement: 'enforce', content: 'sha256:newer' });
    expect(await overhead()).toEqual({
      applicationId: id,
      levels: [
        {
          level: { enforcement: 'none', monitoring: 'none' },
          ...{ n: 3, medianWallUs: 110, ratio: 1, groups: 1, comparedRuns: 3, reason: null },
        },
        {
          level: { enforcement: 'enforce', monitoring: 'none' },
          ...{ n: 1, medianWallUs: 300, ratio: null, groups: 0, comparedRuns: 0 },
          reason: 'no run at enforcement none and monitoring none has the same build',
        },
        {
          level: { enforcement: 'none', monitoring: 'syscalls' },
          ...{ n: 4, medianWallUs: 230, ratio: 2, groups: 1, comparedRuns: 3, reason: null },
        },
      ],
    });
  });

  it.each([['"x"'], ['null'], ['[]'], ['{}'], ['-5'], ['0.2'], ['1e300'], ['1e-300'], ['true']])(
    'takes the node’s own cores where it forged them as %s',
    async (cores) => {
      const { run, overhead } = await makeApplication();
      const { runId } = await run({ wallUs: 100 });
      await api.owner.query(
        `UPDATE executor_run SET node_facts = jsonb_build_object('cores', $2::jsonb) WHERE id = $1`,
        [runId, cores],
      );
      expect((await overhead()).levels).toMatchObject([{ n: 1, medianWallUs: 100 }]);
    },
  );

  it('is empty before the first run, and nothing to other tenants', async () => {
    const { id, path, overhead } = await makeApplication();
    expect(await overhead()).toEqual({ applicationId: id, levels: [] });
    await api.get(keys.stranger, `${path}/overhead`).expect(404);
  });
});

describe('an application', () => {
  it('lists its builds, newest first', async () => {
    const { path, run } = await makeApplication();
    await run({ content: 'sha256:one', monitoring: 'syscalls', calls: ['read'] });
    await run({ content: 'sha256:two' });
    const { body } = await api.get(keys.submitter, `${path}/builds`).expect(200);
    expect(body.builds).toMatchObject([
      { contentDigest: 'sha256:two', recordings: 0, approvedProfileId: null },
      { contentDigest: 'sha256:one', architecture: 'x86_64', imageReference: 'porin/edf:1', recordings: 1 },
    ]);
    await api.get(keys.stranger, `${path}/builds`).expect(404);
  });

  it('is changed by an admin of its tenant alone, and the audit trail says from what to what', async () => {
    const { id, path } = await makeApplication();
    const change = { policy: 'hold', image: 'porin/edf:2' };
    expect((await api.patch(keys.reviewer, path, change).expect(403)).body.code).toBe('role-required');
    await api.patch(keys.stranger, path, change).expect(404);
    for (const wrong of [{}, { policy: 'maybe' }, { recordingsNeeded: 0 }, { name: 'other' }]) {
      await api.patch(keys.admin, path, wrong).expect(400);
    }
    const { body } = await api.patch(keys.admin, path, change).expect(200);
    expect(body).toMatchObject({ id, ...change, recordingsNeeded: 3 });
    const { rows } = await api.owner.query(
      `SELECT detail FROM audit WHERE subject_id = $1 AND action = 'application.change'`,
      [id],
    );
    expect(rows.map((row: { detail: unknown }) => row.detail)).toEqual([
      { before: { policy: 'learn', image: 'porin/edf:1' }, after: change },
    ]);
  });

  it('is listed in pages', async () => {
    const key = await api.makeKey({ role: 'admin', tenant: randomUUID() });
    for (const name of ['a', 'b', 'c']) await api.post(key, '/api/v1/applications', { name, image: 'i' }).expect(201);
    const names: string[] = [];
    for (let after = ''; ;) {
      const { body } = await api.get(key, `/api/v1/applications?limit=2${after}`).expect(200);
      names.push(...body.applications.map(({ name }: { name: string }) => name));
      if (body.next === null) break;
      after = `&after=${body.next as string}`;
    }
    expect(names).toEqual(['c', 'b', 'a']);
  });
});

describe('nodes', () => {
  it('are listed for reviewers, with what they offer and carry', async () => {
    const { body } = await api.get(keys.reviewer, '/api/v1/nodes').expect(200);
    expect(body.nodes).toMatchObject([
      { id: nodeId, state: 'READY', slots: 100, openAttempts: 0, offeredMonitorings: ['none', 'syscalls'] },
    ]);
    expect(body.nodes[0].facts).toEqual({ kernel: '6.18' });
    await api.get(keys.submitter, '/api/v1/nodes').expect(403);
  });

  it('are listed also where one of them says what no node can be', async () => {
    const forgedId = await api.worker.addNode({ slots: 1 });
    const facts = {
      kernel: '6.18',
      cores: 2,
      trustedKeys: ['a'],
      object: {},
      long: 'x'.repeat(5000),
      numbers: [1],
      ...Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`one more fact ${index}`, null])),
    };
    const deep = `${'['.repeat(3000)}${']'.repeat(3000)}`;
    const forge = (sql: string, ...values: unknown[]) =>
      api.owner.query(`UPDATE node SET ${sql} WHERE id = $1`, [forgedId, ...values]);
    await forge(`offered_monitorings = '{NULL,everything,none}', memory_bytes = ${Number.MAX_SAFE_INTEGER}`);
    await forge(`facts = $2::jsonb || jsonb_build_object('deep', $3::jsonb, 'problems', '"x"'::jsonb)`, facts, deep);
    const node = async () => {
      const { body } = await api.get(keys.reviewer, '/api/v1/nodes').expect(200);
      expect(body.nodes).toHaveLength(2);
      return body.nodes.find(({ id }: { id: string }) => id === forgedId);
    };
    const listed = await node();
    expect(listed).toMatchObject({ offeredMonitorings: ['none'], memoryBytes: Number.MAX_SAFE_INTEGER, problems: [] });
    expect(listed.facts).toMatchObject({ kernel: '6.18', cores: 2, trustedKeys: ['a'] });
    expect(Object.keys(listed.facts)).toHaveLength(50);
    for (const name of ['object', 'deep', 'long', 'numbers']) expect(listed.facts).not.toHaveProperty(name);
    for (const wrong of ['null', '[1]', '"text"']) {
      await forge('facts = $2', wrong);
      expect(await node()).toMatchObject({ facts: {}, problems: [] });
    }
  });
});
