import { randomUUID } from 'node:crypto';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';

let api: TestApi;
let keys: Record<'submitter' | 'other' | 'reviewer' | 'admin' | 'stranger', string>;

const http = () => supertest(api.app.getHttpServer());
const as = (key: string) => ({ Authorization: `Bearer ${key}` });
const job = { executors: [{ image: 'debian:bookworm', command: ['true'] }] };
const submit = (key: string, body: object = job) => http().post('/api/v1/jobs').set(as(key)).send(body);

beforeAll(async () => {
  api = await startTestApi({ PORIN_BODY_LIMIT_BYTES: '65536' });
  keys = {
    submitter: await api.makeKey({ role: 'submitter' }),
    other: await api.makeKey({ role: 'submitter' }),
    reviewer: await api.makeKey({ role: 'reviewer' }),
    admin: await api.makeKey({ role: 'admin' }),
    stranger: await api.makeKey({ role: 'admin', tenant: 'elsewhere' }),
  };
});

afterAll(async () => {
  await api.stop();
});

describe('health', () => {
  it('is live and ready without a key', async () => {
    await http().get('/health/live').expect(200, { status: 'up' });
    await http().get('/health/ready').expect(200, { status: 'up', postgres: 'up', redis: 'up', dispatcher: 'up' });
  });
});

describe('authentication', () => {
  it.each([
    ['no key', () => Promise.resolve(''), 'authentication-required'],
    ['an unknown key', () => Promise.resolve(`porin_${'a'.repeat(43)}`), 'api-key-invalid'],
    ['an expired key', () => api.makeKey({ role: 'admin', expiresInMs: -1 }), 'api-key-invalid'],
    ['a revoked key', () => api.makeKey({ role: 'admin', revoked: true }), 'api-key-invalid'],
  ])('refuses %s', async (_name, key, code) => {
    const value = await key();
    const response = await http()
      .get('/api/v1/jobs')
      .set(value ? as(value) : {})
      .expect(401);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.body).toMatchObject({ code, status: 401, type: `urn:porin:problem:${code}` });
  });

  it('lets only an admin register an application', async () => {
    const application = { name: 'edf', image: 'porin/edf:1' };
    const refused = await http().post('/api/v1/applications').set(as(keys.reviewer)).send(application).expect(403);
    expect(refused.body.code).toBe('role-required');
    await http().post('/api/v1/applications').set(as(keys.admin)).send(application).expect(201);
    const again = await http().post('/api/v1/applications').set(as(keys.admin)).send(application).expect(409);
    expect(again.body.code).toBe('application-exists');
  });
});

describe('bad requests', () => {
  it('names every problem of a job', async () => {
    const response = await submit(keys.submitter, { executors: [], inputs: [{ path: '/in/../x' }] }).expect(400);
    expect(response.body.code).toBe('invalid-request');
    expect(response.body.problems.join()).toMatch(/executors.*inputs\.0/s);
  });

  it('refuses malformed JSON', async () => {
    const response = await http().post('/api/v1/jobs').set(as(keys.submitter)).type('json').send('{"a":').expect(400);
    expect(response.body.code).toBe('malformed-request');
  });

  it('refuses a body over the limit', async () => {
    const inputs = [{ content: 'x'.repeat(70_000), path: '/in' }];
    const response = await submit(keys.submitter, { ...job, inputs }).expect(413);
    expect(response.body.code).toBe('body-too-large');
  });

  it('refuses an application that nobody registered', async () => {
    const response = await submit(keys.submitter, { executors: [{ application: 'nobody-made-this' }] }).expect(422);
    expect(response.body.code).toBe('unknown-application');
  });

  it('answers 404 for an unknown route and 400 for an id that is none', async () => {
    expect((await http().get('/api/v1/nothing').set(as(keys.admin)).expect(404)).body.code).toBe('not-found');
    expect((await http().get('/api/v1/jobs/1').set(as(keys.admin)).expect(400)).body.code).toBe('invalid-request');
  });
});

describe('jobs', () => {
  it('are queued with a reason for waiting, and run the application’s command prefix', async () => {
    const name = `app-${randomUUID()}`;
    const application = { name, image: 'porin/edf:1', commandPrefix: ['python3', '-m', 'edf'] };
    await http().post('/api/v1/applications').set(as(keys.admin)).send(application).expect(201);
    const response = await submit(keys.submitter, { executors: [{ application: name, command: ['--help'] }] }).expect(
      201,
    );
    expect(response.body).toMatchObject({ state: 'QUEUED', waitingReason: 'waiting-for-slot' });
    expect(response.body.executors[0].command).toEqual(['python3', '-m', 'edf', '--help']);
    expect(response.headers.location).toBe(`/api/v1/jobs/${response.body.id}`);
  });

  it('are made once for one Idempotency-Key, at the same time too', async () => {
    const key = randomUUID();
    const answers = await Promise.all([1, 2, 3, 4].map(() => submit(keys.submitter).set('Idempotency-Key', key)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 201]);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    const other = await submit(keys.submitter, { ...job, name: 'other' })
      .set('Idempotency-Key', key)
      .expect(409);
    expect(other.body.code).toBe('idempotency-conflict');
  });

  it('share one ad-hoc application whatever their arguments', async () => {
    const image = `registry.example.org:5000/tool-${randomUUID()}`;
    const ids = await Promise.all(
      ['1', '2'].map(async (argument) => {
        const response = await submit(keys.submitter, {
          executors: [{ image: `${image}:v${argument}`, command: ['run', argument] }],
        });
        return response.body.executors[0].applicationId as string;
      }),
    );
    expect(ids[0]).toBe(ids[1]);
  });

  it('are listed in pages without gaps or repeats', async () => {
    const tenant = randomUUID();
    const key = await api.makeKey({ role: 'submitter', tenant });
    for (let i = 0; i < 5; i++) await submit(key).expect(201);
    const seen: string[] = [];
    for (let after: string | null = ''; after !== null;) {
      const page: { body: { jobs: { id: string }[]; next: string | null } } = await http()
        .get('/api/v1/jobs')
        .query({ limit: 2, ...(after ? { after } : {}) })
        .set(as(key))
        .expect(200);
      seen.push(...page.body.jobs.map((row) => row.id));
      after = page.body.next;
    }
    expect(new Set(seen).size).toBe(5);
    expect(seen).toHaveLength(5);
  });

  it('are seen by their submitter and by reviewers, never by another submitter or tenant', async () => {
    const { body } = await submit(keys.submitter).expect(201);
    const path = `/api/v1/jobs/${body.id}`;
    await http().get(path).set(as(keys.submitter)).expect(200);
    await http().get(path).set(as(keys.reviewer)).expect(200);
    await http().get(path).set(as(keys.other)).expect(404);
    await http().get(path).set(as(keys.stranger)).expect(404);
    await http().post(`${path}/cancel`).set(as(keys.other)).expect(404);
  });

  it('are canceled at once while they wait, and canceling again changes nothing', async () => {
    const { body } = await submit(keys.submitter).expect(201);
    const cancel = () => http().post(`/api/v1/jobs/${body.id}/cancel`).set(as(keys.submitter)).expect(200);
    const first = await cancel();
    expect(first.body).toMatchObject({ state: 'CANCELED', waitingReason: null });
    expect((await cancel()).body).toEqual(first.body);
  });
});
