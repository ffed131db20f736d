/** Secrets by reference: jobs are let in by them, and nothing that a grid keeps or says holds one. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { porinAdmin } from '../support/admin-command.js';
import { eventually } from '../support/eventually.js';
import { allRows, filesWith, foundIn } from '../support/find-text.js';
import { Grid, type JobView, type TestWorker } from '../support/grid.js';
import { type Answer, HttpServer } from '../support/http-server.js';
import { expectNowhere, inspectContainer } from '../support/nowhere.js';
import { TestRegistry } from '../support/registry.js';

const random = (name: string) => `${name}-${randomBytes(12).toString('hex')}`;
const TOKEN = random('token');
const PASSWORD = random('password');
const HEADER = random('header');
const S3_KEY = random('s3');
const SESSION = random('session');
const REGISTRY_PASSWORD = random('registry');
const VALUES = [TOKEN, PASSWORD, HEADER, S3_KEY, SESSION, REGISTRY_PASSWORD];
const BASIC = `Basic ${Buffer.from(`anna:${PASSWORD}`).toString('base64')}`;
const NODE = 'opener';

let grid: Grid;
let worker: TestWorker;
let settings: Record<string, string>;
let server: HttpServer;
let elsewhere: HttpServer;
let registry: TestRegistry;
let keyDirectory: string;
const keyFile = () => join(keyDirectory, 'secrets-key');
const newKey = () => `${randomBytes(32).toString('base64')}\n`;
/** How often /bearer/turn was fetched. */
let turns = 0;
const received = new Map<string, string>();

/** 401 unless the request has the header. */
function guarded(header: string, value: string): Answer {
  return (request, response) => {
    if (request.headers[header] !== value) return void response.writeHead(401).end();
    if (request.method !== 'PUT') return void response.end(`content of ${request.url}`);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.set(request.url ?? '', Buffer.concat(chunks).toString());
      response.writeHead(201).end();
    });
  };
}

beforeAll(async () => {
  elsewhere = await HttpServer.start({ '/taken': (_request, response) => void response.end('taken') });
  const leave: Answer = (request, response) => {
    const isLetIn = request.headers.authorization === `Bearer ${TOKEN}`;
    response.writeHead(isLetIn ? 302 : 401, { Location: elsewhere.url('/taken') }).end();
  };
  server = await HttpServer.start({
    '/bearer/in': guarded('authorization', `Bearer ${TOKEN}`),
    '/bearer/out': guarded('authorization', `Bearer ${TOKEN}`),
    '/bearer/leave': leave,
    '/bearer/turn': (request, response) => {
      if (request.headers.authorization !== `Bearer ${TOKEN}`) return void response.writeHead(401).end();
      response.end(turns++ === 0 ? 'first' : 'next');
    },
    '/basic/in': guarded('authorization', BASIC),
    '/basic/out': guarded('authorization', BASIC),
    '/headers/in': guarded('x-key', HEADER),
    '/headers/out': guarded('x-key', HEADER),
    '/open/in': (_request, response) => void response.end('open'),
  });
  const prefixes = `${server.url('/')},${elsewhere.url('/')}`;
  const both = { PORIN_INPUT_URL_PREFIXES: prefixes, PORIN_OUTPUT_URL_PREFIXES: prefixes };
  keyDirectory = mkdtempSync(join(tmpdir(), 'porin-secrets-'));
  writeFileSync(keyFile(), newKey(), { mode: 0o600 });
  grid = await Grid.start({ ...both, PORIN_SECRETS_KEY_FILE: keyFile() });
  registry = await TestRegistry.start(grid.docker);
  registry.credential = { user: 'robot', password: REGISTRY_PASSWORD };
  settings = {
    ...both,
    PORIN_OUTPUT_URL_PREFIXES: `${prefixes},${pathToFileURL(grid.outputs).href}/`,
    PORIN_ALLOW_PRIVATE_ADDRESSES: 'true',
    PORIN_LOG_LEVEL: 'trace',
  };
  worker = await grid.startWorker(NODE, settings);
});
afterAll(async () => {
  await registry.stop();
  await grid.stop();
  await server.stop();
  await elsewhere.stop();
  rmSync(keyDirectory, { recursive: true });
});

const put = (name: string, body: object, key: 'admin' | 'submitter' = 'admin') =>
  grid.http('put', `/api/v1/secrets/${name}`, key).send(body);
const codeOf = ({ body }: { body: unknown }) => (body as { code: string }).code;

async function putAll(): Promise<void> {
  await put('bearer', { kind: 'bearer', prefix: server.url('/bearer/'), token: TOKEN }).expect(200);
  await put('basic', { kind: 'basic', prefix: server.url('/basic/'), user: 'anna', password: PASSWORD }).expect(200);
  await put('headers', { kind: 'headers', prefix: server.url('/headers/'), headers: { 'X-Key': HEADER } }).expect(200);
  const robot = { user: 'robot', password: REGISTRY_PASSWORD };
  await put('registry', { kind: 'registry', prefix: registry.reference(''), ...robot }).expect(200);
}

const KINDS = ['bearer', 'basic', 'headers'];
const inputs = KINDS.map((kind) => ({ url: () => server.url(`/${kind}/in`), path: `/in/${kind}` }));
const outputs = KINDS.map((kind) => ({ url: () => server.url(`/${kind}/out`), path: `/out/${kind}` }));
const resolved = (references: typeof inputs) => references.map(({ url, path }) => ({ url: url(), path }));

const isNowhere = (jobs: readonly string[]) => expectNowhere(VALUES, { grid, workers: [[NODE, worker]], jobs });

async function isWaiting(id: string, text: string): Promise<void> {
  await eventually(async () => {
    const { waitingReasonText } = await grid.job(id);
    if (!String(waitingReasonText).includes(text)) throw new Error(`it waits: ${String(waitingReasonText)}`);
  });
}

const runImage = (image: string, secrets?: readonly string[]) => runOne({ image }, secrets);

async function runOne(
  what: { image: string } | { application: string },
  secrets?: readonly string[],
): Promise<JobView> {
  const request = { executors: [{ ...what, command: ['true'] }], ...(secrets && { secrets }) };
  const { body } = await grid.http('post', '/api/v1/jobs', 'submitter').send(request).expect(201);
  const { id } = body as { id: string };
  return grid.waitFor(id, 'COMPLETE', 'EXECUTOR_ERROR', 'SYSTEM_ERROR');
}

describe('a secret', () => {
  beforeAll(putAll);

  it('lets the inputs and outputs below its prefix through, and is found nowhere: not while the payload runs, not later', async () => {
    const request = { inputs: resolved(inputs), secrets: KINDS, resources: { diskBytes: 32 * 1024 ** 2 } };
    const done = await grid.run('cat /in/*; env; for kind in bearer basic headers; do cp /in/$kind /out/$kind; done', {
      ...request,
      outputs: resolved(outputs),
    });
    expect(done).toMatchObject({ state: 'COMPLETE', secrets: KINDS });
    expect(await grid.log(done.id)).toContain('content of /basic/in');
    for (const kind of KINDS) expect(received.get(`/${kind}/out`)).toBe(`content of /${kind}/in`);

    const running = await grid.submit('cat /proc/self/environ; sleep 3600', request);
    await grid.waitFor(running, 'RUNNING');
    const inspected = await eventually(() => inspectContainer(grid, running));
    expect(inspected).toContain(running);
    expect(foundIn(inspected, VALUES)).toEqual([]);
    await isNowhere([done.id, running]);
    await grid.http('post', `/api/v1/jobs/${running}/cancel`).expect(200);
    await grid.waitFor(running, 'CANCELED');
    await isNowhere([done.id, running]);
  });

  it('is not shown where the job does not name it, nor by the one that it is not for', async () => {
    const [bearer] = resolved(inputs);
    for (const secrets of [undefined, ['basic', 'headers']]) {
      const job = await grid.run('true', { inputs: [bearer], ...(secrets && { secrets }) });
      expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'input-refused' });
    }
    await grid.run('true', { inputs: [{ url: server.url('/open/in'), path: '/in/open' }], secrets: KINDS });
    const open = server.requests.filter(({ url }) => url === '/open/in');
    expect(open.map(({ headers }) => [headers.authorization, headers['x-key']])).toEqual([[undefined, undefined]]);
  });

  it('is not sent on where its server leads elsewhere', async () => {
    const leaving = [{ url: server.url('/bearer/leave'), path: '/in/a' }];
    const job = await grid.run('cat /in/a', { inputs: leaving, secrets: ['bearer'] });
    expect(await grid.log(job.id)).toBe('taken');
    expect(elsewhere.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('of a registry pulls from it, and what it has brought is for those alone whom the registry shows it to', async () => {
    const digest = registry.push('private/tool', '1', { content: 'private' });
    const tag = registry.reference('private/tool:1');
    const refused = { state: 'EXECUTOR_ERROR', errorCode: 'image-not-found' };
    expect(await runImage(tag)).toMatchObject(refused);
    const pulled = await runImage(tag, ['registry']);
    expect(pulled).toMatchObject({ errorCode: null, state: 'COMPLETE' });
    expect(await runImage(digest)).toMatchObject(refused);
    expect(await runImage(digest, ['registry'])).toMatchObject({ errorCode: null, state: 'COMPLETE' });
    await isNowhere([pulled.id]);
  });

  it('of a registry tells by the first job that names it that the image of an application is there', async () => {
    const image = registry.reference('private/application:1');
    registry.push('private/application', '1', { content: 'application' });
    const { body } = await grid.http('post', '/api/v1/applications').send({ name: 'private', image }).expect(201);
    const { id } = body as { id: string };
    const imageIs = async (imageState: string) =>
      expect((await grid.http('get', `/api/v1/applications/${id}`).expect(200)).body).toMatchObject({ imageState });
    await eventually(() => imageIs('not-found'));
    expect(await runOne({ application: 'private' }, ['registry'])).toMatchObject({
      errorCode: null,
      state: 'COMPLETE',
    });
    await imageIs('found');
  });

  it('waits where no node opens secrets, and while there is none of its name', async () => {
    const { owner } = grid.api;
    const { rows } = await owner.query<{ key: string }>('SELECT sealing_key AS key FROM node WHERE name = $1', [NODE]);
    await owner.query('UPDATE node SET sealing_key = NULL WHERE name = $1', [NODE]);
    const id = await grid.submit('true', { secrets: ['bearer'] });
    await isWaiting(id, `${NODE} opens no secrets`);
    await grid.http('delete', '/api/v1/secrets/bearer').expect(200);
    await owner.query('UPDATE node SET sealing_key = $2 WHERE name = $1', [NODE, rows[0]?.key]);
    await isWaiting(id, 'waiting for a secret');
    await putAll();
    expect(await grid.waitFor(id, 'COMPLETE')).toMatchObject({ state: 'COMPLETE' });
    const { rows: sealed } = await owner.query('SELECT FROM sealed_secret');
    expect(sealed).toEqual([]);
  });

  it('is sealed anew for the next attempt, to the next process of a worker', async () => {
    const id = await grid.submit('[ "$(cat /in/a)" = next ] || sleep 3600', {
      inputs: [{ url: server.url('/bearer/turn'), path: '/in/a' }],
      secrets: ['bearer'],
    });
    await grid.waitFor(id, 'RUNNING');
    await worker.end('SIGKILL');
    worker = await grid.startWorker(NODE, settings);
    const job = await grid.waitFor(id, 'COMPLETE');
    expect(job.attempts.map(({ state }) => state)).toEqual(['LOST', 'COMPLETE']);
  });

  it('is not opened with a key that its node has not signed', async () => {
    const { owner } = grid.api;
    // As somebody would who writes the database, and wants secrets sealed to a key of their own.
    const forge = `UPDATE node SET registration = jsonb_set(registration::jsonb, '{sealingKey}', to_jsonb($2::text))::text WHERE name = $1`;
    await owner.query(forge, [NODE, randomBytes(32).toString('base64')]);
    const id = await grid.submit('true', { secrets: ['bearer'] });
    await eventually(async () => {
      const { rows } = await owner.query('SELECT state, registration FROM node WHERE name = $1', [NODE]);
      expect(rows).toEqual([{ state: 'DRAINING', registration: null }]);
    });
    expect((await owner.query('SELECT FROM sealed_secret')).rows).toEqual([]);
    await worker.stop();
    worker = await grid.startWorker(NODE, settings);
    await grid.waitFor(id, 'COMPLETE');
  });
});

describe('the key of secrets', () => {
  const keyIds = async () => {
    const { rows } = await grid.api.owner.query<{ id: string }>('SELECT DISTINCT key_id AS id FROM secret');
    return rows.map(({ id }) => id);
  };
  const run = () =>
    grid.run('true', { inputs: [{ url: server.url('/bearer/in'), path: '/in/a' }], secrets: ['bearer'] });

  it('is rotated while everything runs, and is needed no more then', async () => {
    await putAll();
    const [before] = await keyIds();
    const environment = { PORIN_DATABASE_URL: grid.api.database.apiUrl, PORIN_SECRETS_KEY_FILE: keyFile() };
    const prepared = await porinAdmin(['secrets', 'rotate', '--prepare'], environment);
    expect([prepared.code, await keyIds()]).toEqual([0, [before]]);
    expect(await run()).toMatchObject({ state: 'COMPLETE' });
    const rotated = await porinAdmin(['secrets', 'rotate'], environment);
    expect([rotated.code, rotated.stderr]).toEqual([0, '']);
    const [after, ...others] = await keyIds();
    expect(others).toEqual([]);
    expect(rotated.stdout).toContain(`by the key ${after}`);
    expect(after).not.toBe(before);
    const [first = ''] = readFileSync(keyFile(), 'utf8').split('\n');
    writeFileSync(keyFile(), `${first}\n`);
    expect(await run()).toMatchObject({ state: 'COMPLETE' });
    expect((await porinAdmin(['secrets', 'encrypt'], environment)).stdout).toContain('0 secret(s)');
  });

  it('lets jobs wait while it is not there, and ends none', async () => {
    const text = readFileSync(keyFile(), 'utf8');
    writeFileSync(keyFile(), newKey());
    const id = await grid.submit('true', { secrets: ['bearer'] });
    await isWaiting(id, 'waiting for a secret');
    writeFileSync(keyFile(), text);
    await putAll();
    expect(await grid.waitFor(id, 'COMPLETE')).toMatchObject({ state: 'COMPLETE' });
  });
});

describe('what looks for values', () => {
  it('finds them, whichever way they are written', async () => {
    const value = random('found');
    const hex = Buffer.from(`x${value}`).toString('hex');
    const base64 = Buffer.from(`xy${value}z`).toString('base64');
    for (const text of [value, hex, base64]) expect(foundIn(`a${text}b`, [value, TOKEN])).toEqual([value]);
    await grid.run('true', { tags: { value } });
    expect(foundIn(await allRows(grid.api.owner), [value])).toEqual([value]);
    const file = join(grid.workDirectory(NODE), 'found');
    writeFileSync(file, base64);
    expect(filesWith(grid.workDirectory(NODE), [value])).toEqual([file]);
    rmSync(file);
  });
});

describe('the routes of secrets', () => {
  it('take a value from administrators, and give it to nobody', async () => {
    expect(codeOf(await put('mine', { kind: 'bearer', prefix: server.url('/a/'), token: TOKEN }, 'submitter'))).toBe(
      'role-required',
    );
    const { body, text } = await put('mine', { kind: 'bearer', prefix: server.url('/a/'), token: TOKEN }).expect(200);
    expect(body).toMatchObject({ name: 'mine', kind: 'bearer', prefix: server.url('/a/'), usableBy: null });
    expect(text).not.toContain(TOKEN);
    const s3 = { kind: 's3', accessKeyId: 'AKIA', secretAccessKey: S3_KEY, sessionToken: SESSION };
    const refusal = await put('store', { ...s3, prefix: 'https://host/' });
    expect([codeOf(refusal), refusal.text.includes(S3_KEY)]).toEqual(['prefix-refused', false]);
    await isNowhere([]);
    await grid.http('delete', '/api/v1/secrets/mine').expect(200);
    expect(codeOf(await grid.http('delete', '/api/v1/secrets/mine'))).toBe('not-found');
  });

  it.each([
    ['outside of what its jobs may name', { prefix: 'https://other.example.org/' }, 'prefix-refused'],
    ['of another scheme', { prefix: 'file:///data/' }, 'prefix-refused'],
    ['that ends in the middle of a name', { prefix: 'https://archive' }, 'prefix-refused'],
    ['of a registry that is none', { kind: 'registry', user: 'u', password: 'p', token: undefined }, 'prefix-refused'],
    ['for a principal that is none', { usableBy: ['nobody'] }, 'invalid-request'],
    ['with a member too many', { password: 'p' }, 'invalid-request'],
    ['with a token of two lines', { token: 'a\nb' }, 'invalid-request'],
  ])('refuse a secret %s', async (_name, change, code) => {
    const body = { kind: 'bearer', prefix: server.url('/a/'), token: 't', ...change };
    expect(codeOf(await put('refused', body))).toBe(code);
  });

  it('let a job name those that it may use, and no others', async () => {
    const prefix = server.url('/a/');
    const some = await grid.api.makeKey({ role: 'submitter', principal: 'some' });
    await put('for-some', { kind: 'bearer', prefix, token: 't', usableBy: ['some'] }).expect(200);
    const other = await grid.api.makeKey({ role: 'submitter', tenant: 'other', principal: 'some' });
    const job = { ...grid.script('true'), secrets: ['for-some'] };
    await grid.api.post(some, '/api/v1/jobs', job).expect(201);
    for (const key of [other, await grid.api.makeKey({ role: 'submitter' })]) {
      expect(codeOf(await grid.api.post(key, '/api/v1/jobs', job))).toBe('unknown-secret');
      expect((await grid.api.get(key, '/api/v1/secrets')).text).not.toContain('for-some');
    }
    expect((await grid.api.get(some, '/api/v1/secrets')).text).toContain('for-some');
    await grid.http('delete', '/api/v1/secrets/for-some').expect(200);
    expect(codeOf(await grid.api.post(some, '/api/v1/jobs', job))).toBe('unknown-secret');
  });
});
