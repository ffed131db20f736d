/** Who acts is a principal, whatever key it uses; those who run the grid belong to no tenant. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import supertest from 'supertest';
import { porinAdmin } from '../support/admin-command.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { makeLearningApplication } from '../support/learning-application.js';

let api: TestApi;
let nodeId: string;
beforeAll(async () => {
  api = await startTestApi();
  nodeId = await api.worker.addNode({ slots: 10 });
});
afterAll(() => api.stop());

const JOB = { executors: [{ image: 'debian:12', command: ['true'] }] };
const cli = (...args: string[]) => porinAdmin(args, { PORIN_DATABASE_URL: api.database.apiUrl });
const submit = (key: string, idempotencyKey?: string) => {
  const request = supertest(api.app.getHttpServer())
    .post('/api/v1/jobs')
    .set({ Authorization: `Bearer ${key}` });
  return (idempotencyKey ? request.set('Idempotency-Key', idempotencyKey) : request).send(JOB);
};
const principalId = async (name: string) => {
  const { rows } = await api.owner.query('SELECT id FROM principal WHERE name = $1', [name]);
  return rows[0].id as string;
};

describe('a principal', () => {
  it('is one, whichever of its keys it uses', async () => {
    const principal = `team-${randomUUID()}`;
    const [one, other] = [
      await api.makeKey({ role: 'submitter', principal }),
      await api.makeKey({ role: 'submitter', principal }),
    ];
    const stranger = await api.makeKey({ role: 'submitter' });
    const { body } = await submit(one).expect(201);
    expect(body.submittedBy).toBe(await principalId(principal));
    expect((await api.get(other, `/api/v1/jobs/${body.id}`).expect(200)).body.id).toBe(body.id);
    await api.get(stranger, `/api/v1/jobs/${body.id}`).expect(404);
  });

  it('has Idempotency-Keys of its own: another one’s choice of the same key gives nobody’s job away', async () => {
    const [principal, key] = [`team-${randomUUID()}`, randomUUID()];
    const mine = [
      await api.makeKey({ role: 'submitter', principal }),
      await api.makeKey({ role: 'submitter', principal }),
    ];
    const stranger = await api.makeKey({ role: 'submitter' });
    const first = await submit(mine[0]!, key).expect(201);
    expect((await submit(mine[1]!, key).expect(200)).body.id).toBe(first.body.id);
    const other = await submit(stranger, key).expect(201);
    expect(other.body.id).not.toBe(first.body.id);
    expect((await submit(stranger, key).expect(200)).body.id).toBe(other.body.id);
  });

  it('cannot make two people of itself by two keys, where four eyes are asked for', async () => {
    const [tenant, principal] = [randomUUID(), 'ann'];
    const keys = {
      submitter: await api.makeKey({ role: 'submitter', tenant, principal }),
      admin: await api.makeKey({ role: 'admin', tenant, principal }),
      other: await api.makeKey({ role: 'reviewer', tenant, principal: 'bob' }),
    };
    await api.patch(keys.admin, '/api/v1/tenants/self', { fourEyes: true }).expect(200);
    const { learn } = await makeLearningApplication(api, { keys, nodeId });
    const { id, digest } = await learn(['read']);
    const approve = (key: string) => api.post(key, `/api/v1/profiles/${id}/approve`, { digest, reason: 'read it' });
    expect((await approve(keys.admin).expect(403)).body.code).toBe('four-eyes');
    const { body } = await approve(keys.other).expect(200);
    const { rows } = await api.owner.query('SELECT id FROM principal WHERE tenant = $1 AND name = $2', [tenant, 'bob']);
    expect(body.decisions[0].decidedBy).toBe(rows[0].id);
    const audit = await api.owner.query(
      `SELECT actor FROM audit WHERE subject_id = $1 AND action = 'profile.approved'`,
      [id],
    );
    expect(audit.rows).toEqual([{ actor: rows[0].id }]);
  });

  it('is let in by none of its keys once it is disabled', async () => {
    const principal = `gone-${randomUUID()}`;
    const key = await api.makeKey({ role: 'admin', principal });
    await api.get(key, '/api/v1/jobs').expect(200);
    const id = await principalId(principal);
    expect(await cli('principal', 'disable', id)).toMatchObject({ code: 0 });
    expect((await api.get(key, '/api/v1/jobs').expect(401)).body.code).toBe('api-key-invalid');
    expect(await cli('principal', 'disable', id)).toMatchObject({ code: 1 });
    const again = await cli('key', 'create', '--role', 'admin', '--principal', principal);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('is disabled') });
  });

  it('is added by name, or made with its first key', async () => {
    const name = `ann-${randomUUID()}`;
    expect(await cli('principal', 'add', name)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^[0-9a-f-]{36}\n$/),
    });
    expect(await cli('principal', 'add', name)).toMatchObject({ code: 1, stderr: expect.stringContaining('already') });
    expect(await cli('principal', 'add', name, '--kind', 'robot')).toMatchObject({ code: 1 });
    await cli('key', 'create', '--role', 'admin', '--principal', name);
    const made = `ci-${randomUUID()}`;
    const { stdout: key } = await cli('key', 'create', '--role', 'submitter', '--name', made);
    expect((await submit(key.trim()).expect(201)).body.submittedBy).toBe(await principalId(made));
    const { stdout } = await cli('principal', 'list');
    expect(stdout).toMatch(new RegExp(`default\tperson\tenabled\t1 key\\(s\\)\t${name}\n`));
    expect(stdout).toMatch(new RegExp(`default\tservice\tenabled\t1 key\\(s\\)\t${made}\n`));
    expect((await cli('key', 'list')).stdout).toMatch(new RegExp(`\tdefault\tadmin\tvalid\t.*\t${name}\t${name}\n`));
  });
});

interface Document {
  readonly paths: Record<string, Record<string, { security?: unknown; responses: Record<string, unknown> }>>;
}

describe('an operator', () => {
  const FOR_OPERATORS = [
    'get /api/v1/nodes',
    'get /api/v1/tenants',
    'get /api/v1/tenants/{tenant}',
    'patch /api/v1/tenants/{tenant}',
  ];
  const routes = async () => {
    const { body } = await supertest(api.app.getHttpServer()).get('/openapi.json').expect(200);
    return Object.entries((body as Document).paths).flatMap(([path, methods]) =>
      path.startsWith('/api/') ? Object.keys(methods).map((method) => ({ method, path })) : [],
    );
  };
  const call = (key: string, method: string, path: string) => {
    const filled = path.replace('{tenant}', 'lab').replace(/\{\w+\}/g, randomUUID());
    const http = supertest(api.app.getHttpServer());
    return http[method as 'get' | 'post' | 'patch'](filled)
      .set({ Authorization: `Bearer ${key}` })
      .send();
  };

  it('sees the nodes and the bounds of tenants, and nothing else of any of them', async () => {
    const key = await api.makeKey({ role: 'operator' });
    expect((await api.get(key, '/api/v1/nodes').expect(200)).body.nodes.length).toBeGreaterThan(0);
    for (const { method, path } of await routes()) {
      const { status, body } = await call(key, method, path);
      const isFor = FOR_OPERATORS.includes(`${method} ${path}`);
      expect([method, path, isFor ? status !== 403 : body.code]).toEqual([method, path, isFor || 'role-required']);
    }
  });

  it('alone does what is an operator’s', async () => {
    for (const role of ['submitter', 'reviewer', 'admin']) {
      const key = await api.makeKey({ role });
      for (const route of FOR_OPERATORS.filter((each) => each.includes('tenants'))) {
        const [method = '', path = ''] = route.split(' ');
        expect((await call(key, method, path).expect(403)).body.code).toBe('role-required');
      }
    }
  });

  it('changes what is the grid’s to say of a tenant, and not what is the tenant’s own', async () => {
    const [key, tenant] = [await api.makeKey({ role: 'operator', principal: 'ops' }), `lab-${randomUUID()}`];
    const path = `/api/v1/tenants/${tenant}`;
    const { body } = await api.patch(key, path, { maxQueuedJobs: 7 }).expect(200);
    expect(body).toMatchObject({ tenant, maxQueuedJobs: 7, usage: { queuedJobs: 0 } });
    expect(Object.keys(body)).not.toContain('unknownContent');
    for (const change of [{ unknownContent: 'learn' }, { fourEyes: false }, {}]) {
      expect((await api.patch(key, path, change).expect(400)).body.code).toBe('invalid-request');
    }
    const { rows } = await api.owner.query(`SELECT actor FROM audit WHERE subject_id = $1`, [tenant]);
    expect(rows).toEqual([{ actor: await principalId('ops') }]);
    expect((await api.get(key, '/api/v1/tenants').expect(200)).body.tenants).toContain(tenant);
    const admin = await api.makeKey({ role: 'admin', tenant });
    expect((await api.get(admin, '/api/v1/tenants/self').expect(200)).body.maxQueuedJobs).toBe(7);
    expect((await api.patch(admin, '/api/v1/tenants/self', { maxQueuedJobs: 8 }).expect(400)).body.code).toBe(
      'invalid-request',
    );
  });

  it('has keys of no tenant, which the database holds to that', async () => {
    const name = `ops-${randomUUID()}`;
    const { stdout } = await cli('key', 'create', '--role', 'operator', '--principal', name);
    await api.get(stdout.trim(), '/api/v1/nodes').expect(200);
    const mix = (role: string, whose: string) =>
      api.owner.query(
        `INSERT INTO api_key (principal_id, name, role, sha256, expires_at)
         SELECT id, 'x', $1, sha256(random()::text::bytea), now() FROM principal WHERE ${whose} LIMIT 1`,
        [role],
      );
    await expect(mix('operator', 'tenant IS NOT NULL')).rejects.toThrow('foreign key');
    await expect(mix('admin', 'tenant IS NULL')).rejects.toThrow('foreign key');
  });
});
