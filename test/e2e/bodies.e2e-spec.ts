/** What a body may be: its media type, encoding, shape and text. */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';

let api: TestApi;
let key: string;
const job = { executors: [{ image: 'debian:bookworm', command: ['true'] }] };
const JOB = JSON.stringify(job);
const http = () => supertest(api.app.getHttpServer());

beforeAll(async () => {
  api = await startTestApi({ PORIN_INPUT_URL_PREFIXES: 'https://archive.example.org/' });
  key = await api.makeKey({ role: 'admin' });
});
afterAll(() => api.stop());

/** The bytes as they are. */
const send = (bytes: string | Buffer, headers: Record<string, string> = {}, path = '/api/v1/jobs') =>
  http()
    .post(path)
    .set({ Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', ...headers })
    .serialize((body) => body as string)
    .send(bytes);
const submit = (body: object) => send(JSON.stringify(body));

describe('the media type', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
    'application/json; version=1',
  ])('may be %s', async (type) => {
    await send(JOB, { 'Content-Type': type }).expect(201);
  });

  it.each([
    ['text/plain', {}],
    ['application/x-www-form-urlencoded', {}],
    ['multipart/form-data; boundary=a', {}],
    ['application/jsonx', {}],
    ['json', {}],
    ['', {}],
    ['application/json, text/plain', {}],
    ['application/json; charset=latin1', {}],
    ['application/json; charset=utf-16', {}],
    ['application/json; charset=no-such-charset', {}],
    ['application/json', { 'Content-Encoding': 'gzip' }],
    ['application/json', { 'Content-Encoding': 'br' }],
    ['application/json', { 'Content-Encoding': 'no-such-encoding' }],
    ['application/json', { 'Content-Encoding': 'identity, gzip' }],
  ])('is refused as %s %j', async (type, headers: Record<string, string>) => {
    const body = headers['Content-Encoding'] === 'gzip' ? gzipSync(JOB) : JOB;
    const response = await send(body, { 'Content-Type': type, ...headers }).expect(415);
    expect(response.body).toMatchObject({ code: 'unsupported-media-type', status: 415 });
  });
});

describe('the text', () => {
  it.each([
    ['no JSON', '{"a":'],
    ['not UTF-8', Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])],
    [
      'UTF-8 of half a character',
      Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
    ],
    ['a name twice', `{"name":"a","name":"b",${JOB.slice(1)}`],
    ['a tag twice', `{"tags":{"a":"b","\\u0061":"c"},${JOB.slice(1)}`],
    ['two values', `${JOB}${JOB}`],
  ])('is refused where it is %s', async (_what, bytes) => {
    expect((await send(bytes).expect(400)).body.code).toBe('malformed-request');
  });

  it.each([
    ['nothing', ''],
    ['a word', '"job"'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a huge number', '1e999'],
  ])('is no job where it is %s', async (_what, bytes) => {
    expect((await send(bytes).expect(400)).body.code).toBe('invalid-request');
  });

  it('may start with a byte order mark', async () => {
    await send(`\uFEFF${JOB}`).expect(201);
  });
});

/** As large as a body may be. */
const SIZE = 3_900_000;
const fill = (unit: string, open = '', close = '') => open + unit.repeat(Math.floor(SIZE / unit.length)) + close;

describe('hostile bodies of the largest size', () => {
  it.each([
    ['arrays in one another', '['.repeat(SIZE / 2) + ']'.repeat(SIZE / 2)],
    ['arrays that do not end', '['.repeat(SIZE)],
    ['objects in one another', '{"a":'.repeat(SIZE / 6) + '1' + '}'.repeat(SIZE / 6)],
    ['empty arrays', fill('[],', '{"executors":[', '[]]}')],
    ['empty objects', fill('{},', '{"executors":[', '{}]}')],
    ['numbers', fill('0,', '{"inputs":[', '0]}')],
    ['members', `{${Array.from({ length: SIZE / 10 }, (_, index) => `"${index}":0`).join()}}`],
  ])('are refused before they are parsed: %s', async (_what, text) => {
    expect((await send(text).expect(400)).body.code).toBe('request-too-complex');
  });

  it.each([
    ['deep in an unused member', `{"deep":${'['.repeat(40)}${']'.repeat(40)},${JOB.slice(1)}`, 'request-too-complex'],
    ['with a member of 3.9 MB that nobody knows', `{"${'x'.repeat(SIZE)}":1,${JOB.slice(1)}`, 'invalid-request'],
    ['with a name of 3.9 MB', `{"name":"${'x'.repeat(SIZE)}",${JOB.slice(1)}`, 'invalid-request'],
    ['with a number of 3.9 million digits', `{"priority":${'9'.repeat(SIZE)},${JOB.slice(1)}`, 'invalid-request'],
  ])('are refused in a short answer: %s', async (_what, text, code) => {
    const response = await send(text).expect(400);
    expect(response.body.code).toBe(code);
    expect(response.text.length).toBeLessThan(20_000);
  });

  it.each([
    ['profiles', '"profile":{"version":'],
    ['profiles/import', '"seccomp":{"syscalls":'],
  ])('are refused as documents too: %s', async (path, open) => {
    const id = crypto.randomUUID();
    const deep = `${'[{"a":'.repeat(5_000)}1${'}]'.repeat(5_000)}`;
    const response = await send(`{"buildId":"${id}",${open}${deep}}}`, {}, `/api/v1/applications/${id}/${path}`);
    expect(response.status).toBe(400);
    expect(response.body.code).toBe('request-too-complex');
  });
});

describe('the longest that a job may have', () => {
  const random = (characters: number) => randomBytes(characters).toString('base64url').slice(0, characters);
  const executor = { image: 'a:1', command: ['a'] };

  it.each([
    ['program', { executors: [{ ...executor, command: [random(131_071)] }] }],
    [
      'image',
      {
        executors: [
          {
            ...executor,
            image: `${random(250).toLowerCase().replace(/[-_]/g, 'a')}:1`,
            command: [`/${random(4_000)}`],
          },
        ],
      },
    ],
    ['name', { executors: [executor], name: '\u{1F9EC}'.repeat(128) }],
    ['variable', { executors: [{ ...executor, environment: { [`A${'b'.repeat(100_000)}`]: random(100_000) } }] }],
    [
      'tags',
      {
        executors: [executor],
        tags: Object.fromEntries(Array.from({ length: 100 }, () => [random(128), random(1024)])),
      },
    ],
    ['working directory', { executors: [{ ...executor, workingDirectory: `/${random(4_000)}` }] }],
    [
      'input',
      {
        executors: [executor],
        inputs: [{ path: `/in/${random(4_000)}`, url: `https://archive.example.org/in?${random(8_000)}` }],
      },
    ],
  ])('is stored: its %s', async (_what, body) => {
    const { id } = (await submit(body).expect(201)).body as { id: string };
    await api.get(key, `/api/v1/jobs/${id}`).expect(200);
  });
});

describe('text that Postgres cannot store', () => {
  it.each(['a\0b', '\uD800', 'a\uDC00'])('is refused as %j wherever it stands', async (bad) => {
    const bodies = [
      { ...job, name: bad },
      { ...job, tags: { a: bad } },
      { ...job, tags: { [bad]: 'a' } },
      { executors: [{ ...job.executors[0], environment: { A: bad } }] },
      { executors: [{ ...job.executors[0], command: ['true', bad] }] },
      { executors: [{ ...job.executors[0], workingDirectory: `/${bad}` }] },
      { executors: [{ ...job.executors[0], image: bad }] },
      { executors: [{ application: bad }] },
      { ...job, inputs: [{ path: `/in/${bad}`, content: 'a' }] },
      { ...job, inputs: [{ path: '/in/a', content: bad }] },
      { ...job, inputs: [{ path: '/in/a', url: `file:///a/${bad}` }] },
      { ...job, outputs: [{ path: '/out/a', url: 'file:///out/a', name: bad }] },
    ];
    for (const body of bodies) expect((await submit(body).expect(400)).body.code).toBe('invalid-request');
    const application = { name: 'a', image: 'a:1' };
    for (const body of [
      { ...application, image: bad },
      { ...application, commandPrefix: [bad] },
    ]) {
      await send(JSON.stringify(body), {}, '/api/v1/applications').expect(400);
    }
    const id = crypto.randomUUID();
    const documents = [
      ['profiles', { buildId: id, profile: { files: [{ path: bad, rights: [] }] } }],
      ['profiles', { buildId: id, profile: { [bad]: 1 } }],
      ['profiles/import', { buildId: id, seccomp: { syscalls: [{ comment: bad }] } }],
    ] as const;
    for (const [path, body] of documents) {
      const response = await send(JSON.stringify(body), {}, `/api/v1/applications/${id}/${path}`).expect(400);
      expect(response.body.code).toBe('invalid-request');
    }
    const digest = `sha256:${'0'.repeat(64)}`;
    for (const decision of ['approve', 'reject', 'revoke']) {
      await send(JSON.stringify({ digest, reason: bad }), {}, `/api/v1/profiles/${id}/${decision}`).expect(400);
    }
  });

  it.each([
    'application=a%00b',
    'namePrefix=%00',
    'tag=a%3D%00',
    'tag=%00%3Da',
    'namePrefix=%ED%A0%80',
    'namePrefix=%FF',
    'namePrefix=%',
    'createdAfter=0000-01-01T00:00:00%2B25:00',
    'createdAfter=2026-02-30T00:00:00Z',
    'createdAfter=infinity',
    'createdBefore=%00',
    'limit=',
    'limit=1e2',
    'limit=0x10',
    'limit=1&limit=2',
    'limit=99999999999999999999',
    'after=%00',
    'state=%00',
    '__proto__=1',
    'constructor=1',
    'a%00=1',
  ])('is refused in the query %s', async (query) => {
    const response = await api.get(key, `/api/v1/jobs?${query}`).expect(400);
    expect(response.body.code).toBe('invalid-request');
  });

  it.each([
    'createdAfter=0000-01-01T00:00:00Z',
    'createdBefore=9999-12-31T23:59:59-23:59',
    'createdAfter=2026-01-01T00:00:00%2B23:59',
    'createdAfter=2026-01-01T00:00:00.123456789123456789Z',
    `namePrefix=${encodeURIComponent('\u{1F9EC}')}`,
  ])('is not what the query %s has', async (query) => {
    await api.get(key, `/api/v1/jobs?${query}`).expect(200);
  });

  it.each(['%00', '%ED%A0%80', '%', 'a%2Fb', '%FF', '%2e%2e'])('is refused in the path as %s', async (part) => {
    for (const path of [
      `/api/v1/jobs/${part}`,
      `/api/v1/applications/${part}/builds`,
      `/api/v1/profiles/${part}/diff`,
    ]) {
      expect([400, 404]).toContain((await api.get(key, path)).status);
    }
  });

  it.each(['applications', 'profiles'])('is refused in the query of %s', async (list) => {
    await api.get(key, `/api/v1/${list}?${list === 'profiles' ? 'application' : 'name'}=%00`).expect(400);
  });
});

describe('names of the caller’s own', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
  const text = `{${names.map((name) => `"${name}":"of ${name}"`).join()}}`;

  it('are kept, answered and found again as tags and variables, whatever JavaScript means by them', async () => {
    const body = `{"tags":${text},"executors":[{"image":"a:1","command":["a"],"environment":${text}}]}`;
    const made = await send(body).expect(201);
    const again = await api.get(key, `/api/v1/jobs/${made.body.id}`).expect(200);
    for (const answer of [made, again]) {
      const { tags, executors } = answer.body as { tags: object; executors: { environment: object }[] };
      expect(Object.entries(tags).sort()).toEqual(Object.entries(JSON.parse(text)).sort());
      expect(Object.entries(executors[0]?.environment ?? {}).sort()).toEqual(Object.entries(JSON.parse(text)).sort());
    }
    for (const name of names) {
      const listed = await api.get(key, `/api/v1/jobs?tag=${name}%3Dof%20${name}`).expect(200);
      expect(listed.body.jobs.map(({ id }: { id: string }) => id)).toEqual([made.body.id]);
    }
    const rerun = await api.post(key, `/api/v1/jobs/${made.body.id}/rerun`).expect(201);
    expect(Object.keys(rerun.body.tags).sort()).toEqual([...names].sort());
  });

  it.each(['__proto__', 'constructor'])('are refused as members that no route knows: %s', async (name) => {
    await send(`{"${name}":{},${JOB.slice(1)}`).expect(400);
    const id = crypto.randomUUID();
    const profile = `{"buildId":"${id}","profile":{"version":1,"architecture":"x86_64","rules":[],"network":"none","${name}":{}}}`;
    const answer = await send(profile, {}, `/api/v1/applications/${id}/profiles`);
    expect([404, 422]).toContain(answer.status);
  });
});

describe('methods and paths', () => {
  it.each([
    ['delete', '/api/v1/jobs', 'GET, HEAD, POST'],
    ['put', '/api/v1/jobs/1', 'GET, HEAD'],
    ['get', '/api/v1/jobs/1/cancel', 'POST'],
    ['options', '/api/v1/tenants/self', 'GET, HEAD, PATCH'],
    ['post', '/health/live', 'GET, HEAD'],
    ['post', '/openapi.json', 'GET, HEAD'],
    ['delete', '/docs', 'GET, HEAD'],
  ] as const)('%s %s is answered with the methods that it has', async (method, path, allow) => {
    const response = await http()[method](path).set('Authorization', `Bearer ${key}`).expect(405);
    expect(response.body.code).toBe('method-not-allowed');
    expect(response.headers.allow).toBe(allow);
  });

  it('HEAD is answered as GET, without the body', async () => {
    const response = await http().head('/api/v1/jobs').set('Authorization', `Bearer ${key}`).expect(200);
    expect(response.text ?? '').toBe('');
  });

  it.each(['/api/v1/jobs/', '/API/v1/jobs', '/api/v1', '/api/v1/jobs//logs'])('%s is no path', async (path) => {
    expect((await api.get(key, path).expect(404)).body.code).toBe('not-found');
  });
});
