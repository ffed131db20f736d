/** A request is judged by its headers: nobody without a key has a byte of a body read, or holds a connection. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { RawConnection } from '../support/raw-http.js';

const LIMIT_BYTES = 256 * 1024;
const REQUEST_TIMEOUT_MS = 2_000;
const JOB = JSON.stringify({ executors: [{ image: 'debian:bookworm', command: ['true'] }] });

let api: TestApi;
let url: string;
let key: string;
const open: RawConnection[] = [];

beforeAll(async () => {
  api = await startTestApi({
    PORIN_BODY_LIMIT_BYTES: String(LIMIT_BYTES),
    PORIN_REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
  });
  await api.app.listen(0, '127.0.0.1');
  url = await api.app.getUrl();
  key = await api.makeKey({ role: 'admin' });
});
afterEach(() => {
  for (const connection of open.splice(0)) connection.destroy();
});
afterAll(() => api.stop());

async function connect(): Promise<RawConnection> {
  const connection = await RawConnection.open(url);
  open.push(connection);
  return connection;
}

const POST = 'POST /api/v1/jobs HTTP/1.1';
const TYPE = 'Content-Type: application/json';
const bearer = (value: string) => `Authorization: Bearer ${value}`;

describe('without a key', () => {
  it.each([
    ['a length', ['Content-Length: 200000']],
    ['a length beyond all bounds', ['Content-Length: 1000000000000']],
    ['chunks', ['Transfer-Encoding: chunked']],
    ['an encoding', ['Content-Encoding: gzip', 'Content-Length: 1000']],
    ['another media type', ['Content-Type: text/html', 'Content-Length: 1000']],
  ])('a body with %s is refused before any of it came, and the connection ends', async (_what, lines) => {
    const connection = await connect();
    connection.sendHead(POST, TYPE, ...lines);
    const answer = await connection.answer(2_000);
    expect(answer).toMatchObject({ status: 401, headers: { connection: 'close' } });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'authentication-required' });
    await connection.close(2_000);
  });

  it.each(['/health/live', '/openapi.json', '/docs/'])(
    'a body for %s, which is open, is not read either',
    async (path) => {
      const connection = await connect();
      connection.sendHead(`GET ${path} HTTP/1.1`, 'Content-Length: 1000000000');
      connection.send(Buffer.alloc(64 * 1024));
      expect((await connection.answer(5_000)).status).toBe(200);
      await connection.close(2_000);
    },
  );

  it.each([
    '/',
    '/api',
    '/api/v1/nothing',
    '/API/v1/jobs',
    '//api/v1/jobs',
    '/api/v1/jobs/',
    '/docs/../api/v1/jobs',
    '/nothing',
  ])('nothing is told of the path %s', async (path) => {
    const connection = await connect();
    connection.sendHead(`GET ${path} HTTP/1.1`);
    expect((await connection.answer()).status).toBe(401);
  });

  it('"100 Continue" is not said', async () => {
    const connection = await connect();
    connection.sendHead(POST, TYPE, 'Content-Length: 1000', 'Expect: 100-continue');
    expect((await connection.answer()).status).toBe(401);
    await connection.close();
    expect(connection.received).not.toContain('100 Continue');
  });

  it('a client that goes on sending is cut off', async () => {
    const connection = await connect();
    connection.sendHead(POST, TYPE, 'Transfer-Encoding: chunked');
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const sending = setInterval(() => connection.send(chunk), 1);
    expect((await connection.answer()).status).toBe(401);
    await connection.close(3_000);
    clearInterval(sending);
  });

  it('many bodies that are begun and never sent hold up nobody', async () => {
    const held = await Promise.all(Array.from({ length: 100 }, connect));
    for (const connection of held) connection.sendHead(POST, TYPE, 'Content-Length: 200000');
    await api.get(key, '/api/v1/jobs').expect(200);
    for (const connection of held) expect((await connection.answer()).status).toBe(401);
    await Promise.all(held.map((connection) => connection.close(2_000)));
  });

  it.each([
    ['nothing', ''],
    ['half a request line', 'POST /api'],
    ['headers without an end', `${POST}\r\nHost: test\r\nX-Slow: `],
  ])('a connection that sends %s is ended', async (_what, text) => {
    const connection = await connect();
    connection.send(text);
    await connection.close(REQUEST_TIMEOUT_MS + 5_000);
    if (text !== '') expect((await connection.answer()).status).toBe(408);
  });
});

describe('with a wrong key', () => {
  it('a body is not read', async () => {
    const connection = await connect();
    connection.sendHead(
      POST,
      TYPE,
      bearer(`porin_${'a'.repeat(43)}`),
      'Content-Length: 200000',
      'Expect: 100-continue',
    );
    const answer = await connection.answer(2_000);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'api-key-invalid', status: 401 });
    expect(answer.headers['www-authenticate']).toContain('Bearer');
    await connection.close(2_000);
    expect(connection.received).not.toContain('100 Continue');
  });
});

describe('with a key', () => {
  it('"100 Continue" is said, and the body is taken', async () => {
    const connection = await connect();
    connection.sendHead(POST, TYPE, bearer(key), `Content-Length: ${JOB.length}`, 'Expect: 100-continue');
    await sleep(300);
    expect(connection.received).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    connection.send(JOB);
    expect((await connection.answer()).status).toBe(201);
  });

  it('another expectation is refused', async () => {
    const connection = await connect();
    connection.sendHead(POST, TYPE, bearer(key), `Content-Length: ${JOB.length}`, 'Expect: a-miracle');
    const answer = await connection.answer();
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'expectation-failed', status: 417 });
  });

  it.each([
    ['declared', [`Content-Length: ${LIMIT_BYTES + 1}`]],
    ['declared in a number beyond all', [`Content-Length: ${2 ** 53}`]],
  ])('a body that is %s too large is refused before it came', async (_what, lines) => {
    const connection = await connect();
    connection.sendHead(POST, TYPE, bearer(key), ...lines, 'Expect: 100-continue');
    const answer = await connection.answer(2_000);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'body-too-large', status: 413 });
    await connection.close(2_000);
  });

  it('chunks are counted, and no more than the limit are kept', async () => {
    const connection = await connect();
    connection.sendHead(POST, TYPE, bearer(key), 'Transfer-Encoding: chunked');
    const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`;
    for (let sent = 0; sent < 4; sent++) connection.send(chunk);
    await sleep(300);
    expect(connection.received).toBe('');
    connection.send(chunk);
    expect((await connection.answer(2_000)).status).toBe(413);
    await connection.close(2_000);
  });

  it('a body that does not come in time ends the connection with an answer', async () => {
    const connection = await connect();
    connection.sendHead(POST, TYPE, bearer(key), 'Content-Length: 1000');
    connection.send('{');
    expect((await connection.answer(REQUEST_TIMEOUT_MS + 5_000)).status).toBe(408);
    await connection.close(2_000);
  });

  it('a body for a route that takes none is passed over, up to 64 KiB', async () => {
    const connection = await connect();
    connection.sendHead('GET /api/v1/jobs HTTP/1.1', bearer(key), 'Content-Length: 9', 'Content-Type: text/plain');
    connection.send('something');
    expect((await connection.answer()).status).toBe(200);
    const large = await connect();
    large.sendHead('GET /api/v1/jobs HTTP/1.1', bearer(key), 'Content-Length: 70000');
    expect((await large.answer()).status).toBe(413);
  });
});

describe('what is no HTTP', () => {
  it.each([
    [
      'headers beyond 16 KiB',
      `GET /api/v1/jobs HTTP/1.1\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    [
      'a URL beyond 16 KiB',
      `GET /api/v1/jobs?namePrefix=${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    ['two lengths', `${POST}\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400, 'malformed-request'],
    [
      'a length and chunks',
      `${POST}\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
      'malformed-request',
    ],
    ['an unknown method', 'MAKE /api/v1/jobs HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'malformed-request'],
    ['a tunnel', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', 405, 'method-not-allowed'],
    [
      'a chunk of no length',
      `${POST}\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
      'malformed-request',
    ],
    ['noise', '\x16\x03\x01\x02\r\n\r\n', 400, 'malformed-request'],
  ])('%s is answered in our words', async (_what, text, status, code) => {
    const connection = await connect();
    connection.send(text);
    const answer = await connection.answer();
    expect(answer).toMatchObject({
      status,
      headers: { 'content-type': expect.stringContaining('application/problem+json') },
    });
    expect(JSON.parse(answer.body)).toMatchObject({ code, status });
    await connection.close(2_000);
  });
});

describe('odd targets and headers', () => {
  it('a request without a Host is refused in our words', async () => {
    const connection = await connect();
    connection.send(`GET /api/v1/jobs HTTP/1.1\r\n${bearer(key)}\r\n\r\n`);
    expect(JSON.parse((await connection.answer()).body)).toMatchObject({ code: 'malformed-request', status: 400 });
  });

  it.each([
    ['http://[', 400, 'malformed-request'],
    ['\\', 400, 'malformed-request'],
    ['?', 400, 'malformed-request'],
    ['http://%/', 400, 'malformed-request'],
    ['*', 400, 'malformed-request'],
    ['/\xff', 400, 'malformed-request'],
    ['/#', 400, 'malformed-request'],
    ['javascript:x', 400, 'malformed-request'],
    ['//', 404, 'not-found'],
    ['/api/v1/jobs/%', 400, 'invalid-request'],
    ['/api/v1/jobs?a[b]=1', 400, 'invalid-request'],
    ['/docs/%', 404, 'not-found'],
    ['/docs/..', 404, 'not-found'],
    ['http://grid/nothing', 404, 'not-found'],
  ])('the target %s is refused as documented', async (target, status, code) => {
    const connection = await connect();
    connection.sendHead(`GET ${target} HTTP/1.1`, bearer(key));
    const answer = await connection.answer();
    expect(answer).toMatchObject({
      status,
      headers: {
        'content-type': 'application/problem+json',
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
      },
    });
    expect(JSON.parse(answer.body)).toMatchObject({ code, status });
  });

  it('a target with the name of the server is its path', async () => {
    const connection = await connect();
    connection.sendHead('GET http://grid:8080/api/v1/jobs?limit=1 HTTP/1.1', bearer(key));
    expect((await connection.answer()).status).toBe(200);
  });

  it.each([
    'If-None-Match: *',
    'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT',
    'Range: bytes=0-1',
    'Accept: image/png',
    'Upgrade: websocket',
  ])('%s changes nothing', async (line) => {
    const connection = await connect();
    connection.sendHead('GET /api/v1/jobs HTTP/1.1', bearer(key), line);
    const { status, headers } = await connection.answer();
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
  });
});
