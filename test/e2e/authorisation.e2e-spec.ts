/** Every route of openapi.json by every caller: who is let in, who is told that there is nothing, and who is refused. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { makeLearningApplication } from '../support/learning-application.js';

interface Operation {
  readonly operationId: string;
  readonly requestBody?: object;
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, object>>;
  readonly 'x-porin-role'?: string;
  readonly 'x-porin-operators'?: 'only' | 'too';
}
type Method = 'get' | 'post' | 'patch' | 'put' | 'delete';

const { paths } = JSON.parse(readFileSync('openapi.json', 'utf8')) as {
  paths: Record<string, Record<Method, Operation>>;
};
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method as Method, ...operation })),
);
type Route = (typeof operations)[number];

/** Least first. */
const RANK = ['submitter', 'reviewer', 'admin'];
const DIGEST = `sha256:${'0'.repeat(64)}`;
const SECRET = { kind: 'registry', prefix: 'registry.example.org/', user: 'robot', password: 'p' };
const job = { executors: [{ image: 'debian:bookworm', command: ['true'] }] };

/** A body for each route that takes one, right for everything but the state of things. */
const BODIES: Readonly<Record<string, () => object>> = {
  applications_create: () => ({ name: `app-${randomUUID()}`, image: 'porin/edf:1' }),
  applications_change: () => ({ recordingsNeeded: 3 }),
  applications_propose: () => ({ buildId: things.build, profile: {} }),
  applications_import: () => ({ buildId: things.build, seccomp: {} }),
  jobs_submit: () => job,
  testasks_create: () => job,
  shorttasks_create: () => job,
  profiles_approve: () => ({ digest: DIGEST }),
  profiles_reject: () => ({ digest: DIGEST }),
  profiles_revoke: () => ({ digest: DIGEST }),
  profiles_changeStage: () => ({ digest: DIGEST, stage: 'audit' }),
  secrets_put: () => SECRET,
  tenant_change: () => ({ fourEyes: false }),
  operatortenants_change: () => ({ maxProposals: 7 }),
};

let api: TestApi;
let callers: Record<string, { readonly key: string; readonly role: string }>;
/** Ids by the name of their route, of the tenant "default". */
let things: Record<'jobs' | 'tasks' | 'applications' | 'profiles' | 'build', string>;

beforeAll(async () => {
  api = await startTestApi();
  const key = (role: string, options: object = {}) => api.makeKey({ role, ...options });
  const elsewhere = { tenant: 'elsewhere' };
  callers = {
    submitter: { key: await key('submitter'), role: 'submitter' },
    'another submitter': { key: await key('submitter'), role: 'submitter' },
    reviewer: { key: await key('reviewer'), role: 'reviewer' },
    admin: { key: await key('admin'), role: 'admin' },
    'submitter elsewhere': { key: await key('submitter', elsewhere), role: 'submitter' },
    'reviewer elsewhere': { key: await key('reviewer', elsewhere), role: 'reviewer' },
    'admin elsewhere': { key: await key('admin', elsewhere), role: 'admin' },
    operator: { key: await key('operator'), role: 'operator' },
    'a wrong key': { key: `porin_${'a'.repeat(43)}`, role: '' },
    'no key at all, but a word': { key: 'word', role: '' },
    'an expired key': { key: await key('admin', { expiresInMs: -1 }), role: '' },
    'a revoked key': { key: await key('admin', { revoked: true }), role: '' },
  };
  const keys = { submitter: keyOf('submitter'), admin: keyOf('admin') };
  const nodeId = await api.worker.addNode({ slots: 100 });
  const application = await makeLearningApplication(api, { keys, nodeId });
  const version = await application.learn(['read', 'openat']);
  const { jobId, buildId } = await application.run({ calls: ['read', 'openat'] });
  const robot = supertest(api.app.getHttpServer()).put('/api/v1/secrets/robot').send(SECRET);
  await robot.set('Authorization', `Bearer ${keyOf('admin')}`).expect(200);
  things = { jobs: jobId, tasks: jobId, applications: application.id, profiles: version.id, build: buildId };
});
afterAll(() => api.stop());

function keyOf(caller: string): string {
  return callers[caller]?.key ?? '';
}

function call({ method, path, operationId, requestBody }: Route, key: string | undefined): supertest.Test {
  const kind = /(\w+)\/\{id\}/.exec(path)?.[1] as keyof typeof things;
  const request = supertest(api.app.getHttpServer())[method](
    path.replace('{id}', things[kind]).replace('{tenant}', 'default').replace('{name}', 'robot'),
  );
  if (key !== undefined) request.set('Authorization', `Bearer ${key}`);
  return requestBody ? request.send(BODIES[operationId]?.() ?? {}) : request;
}

function rankOf(role: string): number {
  return RANK.indexOf(role);
}

const closed = operations.filter(({ security }) => security !== undefined);
const open = operations.filter(({ security }) => security === undefined);
const named = (routes: readonly Route[]) => routes.map((route) => [`${route.method} ${route.path}`, route] as const);

describe('the document', () => {
  it('has a key on every route but those of health, and this file a body for every route that takes one', () => {
    expect(open.map(({ path }) => path)).toEqual(['/health/live', '/health/ready']);
    const taking = operations.filter(({ requestBody }) => requestBody).map(({ operationId }) => operationId);
    expect(Object.keys(BODIES).sort()).toEqual(taking.sort());
  });

  it('says of every route that changes what all jobs of a tenant have that it needs a role', () => {
    const changing = closed.filter(({ method, path }) => method !== 'get' && !/\/(jobs|tasks)\b/.test(path));
    const forAll = changing.filter((route) => !route['x-porin-role'] && route['x-porin-operators'] !== 'only');
    expect(forAll).toEqual([]);
  });
});

describe('without a valid key', () => {
  it.each(named(closed))('%s is refused', async (_name, route) => {
    const none = await call(route, undefined).expect(401);
    expect(none.body.code).toBe('authentication-required');
    for (const [caller, { key, role }] of Object.entries(callers)) {
      if (role !== '') continue;
      const response = await call(route, key);
      expect([caller, response.status, response.body.code]).toEqual([caller, 401, 'api-key-invalid']);
    }
  });

  it.each(named(open))('%s is answered', async (_name, route) => {
    await call(route, undefined).expect(200);
    await call(route, keyOf('a wrong key')).expect(200);
  });
});

describe('of the tenant', () => {
  it.each(named(closed))('%s is for the roles that the document says', async (_name, route) => {
    const needed = route['x-porin-operators'] === 'only' ? Infinity : rankOf(route['x-porin-role'] ?? 'submitter');
    for (const caller of ['submitter', 'another submitter', 'reviewer', 'admin']) {
      const { key = '', role = '' } = callers[caller] ?? {};
      const { status, body } = await call(route, key);
      expect(Object.keys(route.responses), `${caller}: ${status}`).toContain(String(status));
      const isRefused = status === 403 && body.code === 'role-required';
      expect([caller, isRefused]).toEqual([caller, rankOf(role) < needed]);
      if (isRefused) continue;
      // A submitter's job is nothing to the others; all else of a tenant is there for its members.
      const isHidden = caller === 'another submitter' && /\/(jobs|tasks)\/\{id\}/.test(route.path);
      // The job has no trace, and its recording is of monitoring "syscalls".
      const isAbsent =
        ['no-recording', 'log-expired'].includes(String(body.code)) || /(trace|kept-files)$/.test(route.path);
      if (!isAbsent || isHidden) expect([caller, body.code === 'not-found']).toEqual([caller, isHidden]);
    }
  });
});

describe('of another tenant', () => {
  const elsewhere = ['submitter elsewhere', 'reviewer elsewhere', 'admin elsewhere'];

  it.each(named(closed.filter(({ path }) => path.includes('{id}'))))('%s has nothing', async (_name, route) => {
    const needed = rankOf(route['x-porin-role'] ?? 'submitter');
    for (const caller of elsewhere) {
      const { key = '', role = '' } = callers[caller] ?? {};
      const { status, body } = await call(route, key);
      const expected = rankOf(role) < needed ? [403, 'role-required'] : [404, 'not-found'];
      expect([caller, status, body.code]).toEqual([caller, ...expected]);
    }
  });

  it.each(named(closed.filter(({ path, method }) => !path.includes('{id}') && method === 'get')))(
    '%s tells nothing',
    async (_name, route) => {
      const ids = Object.values(things);
      for (const caller of elsewhere) {
        const { text } = await call(route, keyOf(caller));
        expect(ids.filter((id) => text.includes(id))).toEqual([]);
        expect(text).not.toContain('"tenant":"default"');
      }
    },
  );
});

describe('who runs the grid', () => {
  it.each(named(closed))('%s is for operators only where the document says so', async (_name, route) => {
    const { status, body, text } = await call(route, keyOf('operator'));
    const isRefused = status === 403 && body.code === 'role-required';
    expect(isRefused).toBe(route['x-porin-operators'] === undefined);
    expect(Object.keys(route.responses)).toContain(String(status));
    expect(Object.values(things).filter((id) => text.includes(id))).toEqual([]);
  });
});
