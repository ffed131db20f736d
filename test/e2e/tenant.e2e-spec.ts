import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { releaseUnknownContent } from '#lib/store';
import { DIST_DIR } from '../../scripts/setup/paths.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { isQueuedOrPlaced } from '../support/queue-rows.js';

let api: TestApi;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi();
  nodeId = await api.worker.addNode({ slots: 10 });
});
afterAll(() => api.stop());

const GIB = 1024 ** 3;
const DEFAULTS = {
  ...{ unknownContent: 'hold', fourEyes: false, retentionDays: null },
  ...{ imageRegistries: null, localImages: null, inputPrefixes: null, outputPrefixes: null },
  ...{ maxQueuedJobs: 100_000, maxStoredBytes: 100 * GIB, maxImageBytes: 50 * GIB, maxProposals: 1_000, weight: 1 },
};
/** The API of the tests allows every file. */
const GRID = { ...DEFAULTS, inputPrefixes: ['file:///'], outputPrefixes: ['file:///'] };
const UNUSED = { queuedJobs: 0, storedBytes: 0, proposals: 0 };
const PATH = '/api/v1/tenants/self';
const keysOf = async (tenant: string) => ({
  submitter: await api.makeKey({ role: 'submitter', tenant }),
  reviewer: await api.makeKey({ role: 'reviewer', tenant }),
  admin: await api.makeKey({ role: 'admin', tenant }),
});

describe('the settings of a tenant', () => {
  it('are the defaults until an administrator changes one, and every change is in the audit trail', async () => {
    const { submitter, reviewer, admin } = await keysOf('clinic');
    const { body } = await api.get(submitter, PATH).expect(200);
    expect(body).toEqual({ tenant: 'clinic', ...DEFAULTS, defaults: GRID, usage: UNUSED });
    for (const key of [submitter, reviewer]) {
      const refused = await api.patch(key, PATH, { unknownContent: 'learn' }).expect(403);
      expect(refused.body.code).toBe('role-required');
    }
    for (const change of [{}, { unknownContent: 'allow' }, { fourEyes: 'on' }, { tenant: 'default' }]) {
      expect((await api.patch(admin, PATH, change).expect(400)).body.code).toBe('invalid-request');
    }
    const changed = await api.patch(admin, PATH, { unknownContent: 'refuse' }).expect(200);
    expect(changed.body).toMatchObject({ tenant: 'clinic', ...DEFAULTS, unknownContent: 'refuse' });
    await api.patch(admin, PATH, { fourEyes: true }).expect(200);
    const { body: after } = await api.get(submitter, PATH).expect(200);
    expect(after).toMatchObject({ ...DEFAULTS, unknownContent: 'refuse', fourEyes: true });
    const { rows } = await api.owner.query(
      `SELECT detail FROM audit WHERE action = 'tenant.change' AND subject_id = 'clinic' ORDER BY id`,
    );
    expect(rows.map(({ detail }: { detail: object }) => detail)).toEqual([
      { before: { unknownContent: 'hold' }, after: { unknownContent: 'refuse' } },
      { before: { fourEyes: false }, after: { fourEyes: true } },
    ]);
  });

  it('are each tenant’s own', async () => {
    const [one, other] = [await keysOf('one'), await keysOf('other')];
    await api.patch(one.admin, PATH, { unknownContent: 'learn', fourEyes: true }).expect(200);
    expect((await api.get(other.admin, PATH).expect(200)).body).toEqual({
      ...{ tenant: 'other', ...DEFAULTS, defaults: GRID, usage: UNUSED },
    });
  });

  it('have the jobs tried again that waited for known content, those of the tenant alone', async () => {
    const [mine, others] = [await keysOf('mine'), await keysOf('others')];
    const held = async (key: string): Promise<string> => {
      const executors = [{ image: 'debian:12', command: ['true'] }];
      const { id } = (await api.post(key, '/api/v1/jobs', { executors }).expect(201)).body as { id: string };
      await api.worker.hold(await api.worker.claim(id, nodeId), 'waiting-for-known-content');
      return id;
    };
    const [waiting, elsewhere] = [await held(mine.submitter), await held(others.submitter)];
    const standing = async (key: string, id: string) => {
      const { fence, waitingReason } = (await api.get(key, `/api/v1/jobs/${id}`).expect(200)).body;
      return { fence, waitingReason };
    };
    await api.patch(mine.admin, PATH, { fourEyes: true }).expect(200);
    expect(await standing(mine.submitter, waiting)).toEqual({ fence: 1, waitingReason: 'waiting-for-known-content' });
    await api.patch(mine.admin, PATH, { unknownContent: 'learn' }).expect(200);
    expect(await standing(mine.submitter, waiting)).toEqual({ fence: 2, waitingReason: 'waiting-for-slot' });
    expect(await isQueuedOrPlaced(api.owner, waiting)).toBe(true);
    expect(await standing(others.submitter, elsewhere)).toEqual({
      ...{ fence: 1, waitingReason: 'waiting-for-known-content' },
    });
  });
});

describe('jobs on content that nobody knows', () => {
  /** A job that a worker held, of a tenant in which nothing has changed lately. */
  async function held(tenant: string) {
    const keys = await keysOf(tenant);
    const executors = [{ image: 'debian:12', command: ['true'] }];
    const { id } = (await api.post(keys.submitter, '/api/v1/jobs', { executors }).expect(201)).body as { id: string };
    await api.worker.hold(await api.worker.claim(id, nodeId), 'waiting-for-known-content');
    const fence = async () => (await api.get(keys.submitter, `/api/v1/jobs/${id}`).expect(200)).body.fence as number;
    return { id, fence };
  }
  const changed = (tenant: string, action: string, detail: object = {}, ago = '0 seconds') =>
    api.owner.query(
      `INSERT INTO audit (at, tenant, actor, action, subject_type, subject_id, detail)
       VALUES (clock_timestamp() - $5::interval, $1, 'somebody', $2, 'tenant', $3, $4)`,
      [tenant, action, tenant, detail, ago],
    );

  it('wait through decisions about profiles and settings of other things', async () => {
    const { fence } = await held('deciding');
    await changed('deciding', 'profile.approved');
    await changed('deciding', 'tenant.change', {
      before: { unknownContent: 'hold' },
      after: { unknownContent: 'hold' },
    });
    await api.dispatcherHasLooked();
    expect(await fence()).toBe(1);
  });

  it('are tried again where a worker looked just before a change was to be seen', async () => {
    const { fence } = await held('changing');
    await changed('changing', 'application.change', {}, '1 second');
    await eventually(async () => expect(await fence()).toBe(2));
  });

  it('are tried again at most two hundred at a time, those that wait the longest first', async () => {
    const { id, fence } = await held('crowd');
    await api.owner.query(
      `WITH made AS (
         INSERT INTO job SELECT (jsonb_populate_record(job, jsonb_build_object('id', gen_random_uuid(),
           'queued_at', job.queued_at + make_interval(secs => count)))).*
         FROM job, generate_series(1, 210) AS count WHERE id = $1 RETURNING id
       )
       INSERT INTO attempt SELECT (jsonb_populate_record(attempt, jsonb_build_object('job_id', made.id))).*
       FROM attempt, made WHERE job_id = $1`,
      [id],
    );
    const { manager } = api.app.get(DataSource);
    expect(await releaseUnknownContent(manager, 'crowd')).toBe(200);
    expect(await fence()).toBe(2);
    expect(await releaseUnknownContent(manager, 'crowd')).toBe(11);
  });
});

describe('the command line', () => {
  const porin = async (...args: string[]): Promise<string> => {
    const env = { ...process.env, PORIN_DATABASE_URL: api.database.apiUrl };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(DIST_DIR, 'apps/api/src/cli/main.js'), ...args],
      {
        env,
      },
    );
    return stdout;
  };

  it('shows and changes the settings of a tenant', async () => {
    const shown = await porin('tenant', 'show', '--tenant', 'ward');
    expect(shown).toContain('tenant\tward\nunknown content\thold\t(default: hold)\nfour eyes\toff\t(default: off)\n');
    expect(shown).toContain('max proposals\t1000\t(default: 1000)\n');
    expect(shown).toContain('output prefixes\tas the grid\t(default: as the grid)\n');
    expect(shown).toContain('\nused\t0 jobs, 0 bytes stored, 0 proposals\n');
    const changed = await porin('tenant', 'set', '--tenant', 'ward', '--unknown-content', 'learn', '--four-eyes', 'on');
    expect(changed).toContain('unknown content\tlearn\t(default: hold)\nfour eyes\ton');
    expect(await porin('tenant', 'set', '--tenant', 'ward', '--four-eyes', 'off')).toContain('learn');
    const { admin } = await keysOf('ward');
    expect((await api.get(admin, PATH).expect(200)).body).toMatchObject({ unknownContent: 'learn', fourEyes: false });
    await expect(porin('tenant', 'set', '--tenant', 'ward')).rejects.toThrow(/needs --unknown-content or --four-eyes/);
    const bounded = await porin('tenant', 'set', '--tenant', 'ward', '--max-queued-jobs', '5');
    expect(bounded).toContain('max queued jobs\t5\t(default: 100000)');
    await expect(porin('tenant', 'set', '--max-queued-jobs', '-5')).rejects.toThrow(/max-queued-jobs/);
    const back = await porin('tenant', 'set', '--tenant', 'ward', '--max-queued-jobs', 'default');
    expect(back).toContain('max queued jobs\t100000');
    await expect(porin('tenant', 'set', '--unknown-content', 'allow')).rejects.toThrow(/one of learn, hold, refuse/);
  });

  it('says which images a tenant may run', async () => {
    const set = (...args: string[]) => porin('tenant', 'set', '--tenant', 'lab', ...args);
    const changed = await set('--image-registries', 'r.example, docker.io/lab/*', '--local-images', 'none');
    expect(changed).toContain(
      'image registries\tr.example,docker.io/lab/*\t(default: as the grid)\nlocal images\tnone',
    );
    const { submitter } = await keysOf('lab');
    expect((await api.get(submitter, PATH).expect(200)).body).toMatchObject({
      imageRegistries: ['r.example', 'docker.io/lab/*'],
      localImages: [],
      defaults: { imageRegistries: null, localImages: null },
    });
    expect(await set('--image-registries', 'default')).toContain('image registries\tas the grid');
    for (const list of ['Lab', 'a b', '', '/x', Array(101).fill('r.example').join(',')]) {
      await expect(set('--image-registries', list)).rejects.toThrow(/--image-registries/);
    }
  });

  it('gives a tenant prefixes, which are lost to all others until it gives them back', async () => {
    const set = (...args: string[]) => porin('tenant', 'set', ...args);
    const [archive, other] = [await keysOf('archive'), await keysOf('elsewhere')];
    const job = (input: string, output: string) => ({
      executors: [{ image: 'debian:12', command: ['true'] }],
      inputs: [{ url: input, path: '/in/a' }],
      outputs: [{ url: output, path: '/out/a' }],
    });
    const codeOf = async (key: string, input: string, output: string) => {
      const { status, body } = await api.post(key, '/api/v1/jobs', job(input, output));
      return status === 201 ? 'taken' : `${status} ${(body as { code: string }).code}`;
    };
    const mine = ['--tenant', 'archive'];
    const [inputs, outputs] = ['file:///a/in/,file:///ref', 'file:///a/out'];
    const shown = await set(...mine, '--input-prefixes', inputs, '--output-prefixes', outputs);
    expect(shown).toContain(`input prefixes\t${inputs}\t`);
    expect((await api.get(archive.submitter, PATH).expect(200)).body).toMatchObject({
      inputPrefixes: ['file:///a/in/', 'file:///ref'],
      outputPrefixes: ['file:///a/out'],
      defaults: { inputPrefixes: ['file:///'] },
    });
    expect(await codeOf(archive.submitter, 'file:///a/in/x', 'file:///a/out/1')).toBe('taken');
    expect(await codeOf(archive.submitter, 'file:///b/x', 'file:///a/out/2')).toBe('403 input-not-allowed');
    expect(await codeOf(archive.submitter, 'file:///a/in/x', 'file:///a/in/3')).toBe('403 output-not-allowed');
    for (const url of ['file:///a/in/x', 'file:///%61/in/x', 'file:///ref/x', 'file:///a/out/x']) {
      expect(await codeOf(other.admin, url, 'file:///b/1')).toBe('403 input-not-allowed');
      expect(await codeOf(other.admin, 'file:///b/x', url)).toBe('403 output-not-allowed');
    }
    await expect(set('--tenant', 'elsewhere', '--output-prefixes', 'file:///a/')).rejects.toThrow(
      /file:\/\/\/a\/ overlaps file:\/\/\/a\/in\/, which is the tenant archive's alone/,
    );
    await expect(set(...mine, '--output-prefixes', 'file:///a#b')).rejects.toThrow(/must not contain a raw "#"/);
    await api.patch(archive.admin, PATH, { outputPrefixes: ['file:///'] }).expect(400);
    const operator = await api.makeKey({ role: 'operator' });
    const overlapping = await api
      .patch(operator, '/api/v1/tenants/elsewhere', { outputPrefixes: ['file:///a/'] })
      .expect(409);
    expect(overlapping.body).toMatchObject({
      code: 'prefix-refused',
      detail: expect.stringMatching(/^The tenant cannot have these prefixes: the prefix file:\/\/\/a\/ overlaps /),
    });
    await set(...mine, '--input-prefixes', 'none', '--output-prefixes', 'default');
    expect(await codeOf(archive.submitter, 'file:///a/in/x', 'file:///a/out/4')).toBe('403 input-not-allowed');
    expect(await codeOf(other.submitter, 'file:///a/in/x', 'file:///a/out/5')).toBe('taken');
  });
});
