/** Outputs by PUT over real HTTP connections: what the server gets and when, and how each of its answers ends. */
import { createHash } from 'node:crypto';
import { truncateSync } from 'node:fs';
import { type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_HTTP_TIMEOUTS, JobFiles, stageOutput, publishStaged, type StagingRules } from '#lib/staging';
import { eventually } from '../support/eventually.js';
import { type Answer, HttpServer } from '../support/http-server.js';
import {
  codeOf,
  jobErrorOf,
  placeOf,
  publishOutput,
  type PublishOptions,
  rulesWith,
  sha256,
  Tree,
} from '../support/staging.js';

const CONTENT = Buffer.alloc(1_000_003, 'EDF+ ');
/** More than the sockets' buffers take. */
const LARGE_BYTES = 2 ** 28;

interface Received {
  readonly url: string | undefined;
  readonly sha256: string;
  readonly bytes: number;
}

let tree: Tree;
let server: HttpServer;
let received: Received[];

async function receive(request: IncomingMessage): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  received.push({ url: request.url, sha256: hash.digest('hex'), bytes });
}

const answering =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (request, response) =>
    void receive(request).then(
      () => response.writeHead(status, headers).end(),
      () => undefined,
    );

beforeEach(async () => {
  tree = new Tree();
  received = [];
  tree.write('out/a', CONTENT);
  server = await HttpServer.start({
    ...Object.fromEntries(
      [200, 201, 202, 204, 400, 401, 403, 404, 408, 409, 411, 413, 429, 500, 503, 507].map((code) => [
        `/put/${code}`,
        answering(code),
      ]),
    ),
    ...Object.fromEntries(
      [301, 302, 303, 304, 307, 308].map((code) => [
        `/put/${code}`,
        answering(code, { location: '/put/200?key=secret' }),
      ]),
    ),
    '/put/early': (_request, response) => response.end('took nothing'),
    '/put/early-no': (_request, response) => response.writeHead(413, { connection: 'close' }).end(),
    // A little every 20 ms: it never stalls.
    '/put/slow': (request) => {
      request.on('data', () => {
        request.pause();
        setTimeout(() => request.resume(), 20);
      });
    },
    '/put/never-reads': (request) => void request.pause(),
    '/put/never-answers': (request) => void receive(request).catch(() => undefined),
    '/put/reset': (request) => void request.once('data', () => request.socket.resetAndDestroy()),
  });
});

afterEach(async () => {
  // A server that does not read does not see that its client has gone.
  for (const request of server.requests) request.resume();
  await eventually(() => Promise.resolve(expect(server.openConnections).toBe(0)));
  await server.stop();
  expect(tree.openDescriptors()).toEqual([]);
  tree.remove();
});

const never = new AbortController().signal;

function rules(changes: Partial<StagingRules> = {}): StagingRules {
  return rulesWith({ outputPrefixes: [server.url('/put')], allowPrivateAddresses: true, ...changes });
}

function publish(url: string, changes: Partial<PublishOptions> = {}) {
  const options = {
    ...{ rules: rules(), limitBytes: 2 ** 40, signal: never, beforeCommit: () => Promise.resolve() },
    sendDirectory: tree.path('send/bytes'),
  };
  const source = { directory: tree.path('out'), name: 'a' };
  return publishOutput({ url, path: '/out/a' }, source, { ...options, ...changes });
}

describe('an output over HTTP', () => {
  it.each([200, 201, 202, 204])('is published when its server answers %i', async (status) => {
    const stored = { sha256: sha256(CONTENT), bytes: CONTENT.length };
    await expect(publish(`${server.url(`/put/${status}`)}?part=1`)).resolves.toEqual(stored);
    expect(received).toEqual([{ url: `/put/${status}?part=1`, ...stored }]);
    const [request] = server.requests;
    expect([request?.method, request?.headers['transfer-encoding']]).toEqual(['PUT', undefined]);
    expect(request?.headers).toMatchObject({ 'content-length': String(CONTENT.length) });
    expect(request?.headers).not.toHaveProperty('authorization');
  });

  it('may be empty', async () => {
    truncateSync(tree.path('out/a'), 0);
    await expect(publish(server.url('/put/200'))).resolves.toEqual({ sha256: sha256(''), bytes: 0 });
    expect(server.requests[0]?.headers).toMatchObject({ 'content-length': '0' });
  });

  it('takes the user and password of its URL along', async () => {
    await publish(server.url('/put/200').replace('//', '//user:p%40ss@'));
    const expected = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
    expect(server.requests[0]?.headers.authorization).toBe(expected);
  });

  it('goes out after beforeCommit, and not at all when that throws', async () => {
    const lost = new Error('the fence is lost');
    await expect(publish(server.url('/put/200'), { beforeCommit: () => Promise.reject(lost) })).rejects.toBe(lost);
    expect(server.connections).toBe(0);
    let before = -1;
    await publish(server.url('/put/200'), { beforeCommit: () => Promise.resolve(void (before = server.connections)) });
    expect([before, server.connections]).toEqual([0, 1]);
  });

  it('is not allowed elsewhere', async () => {
    for (const path of ['/', '/put-evil/a']) {
      expect(await codeOf(publish(server.url(path)))).toBe('output-not-allowed');
    }
    for (const path of ['/put/../a', '/put/%2e%2e/a', '/put/..%2fa', '/put/a#b']) {
      expect(await codeOf(publish(server.url(path)))).toBe('output-url-malformed');
    }
    expect(await codeOf(publish(server.url('/put/200'), { rules: rulesWith({}) }))).toBe('output-not-allowed');
    expect(server.connections).toBe(0);
  });

  it.each(['127.0.0.1', '0x7f.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]'])(
    'does not go to %s by default',
    async (host) => {
      const changes = { allowPrivateAddresses: false, outputPrefixes: [server.url('/', host)] };
      const code = await codeOf(publish(server.url('/put/200', host), { rules: rules(changes) }));
      expect([code, server.connections]).toEqual(['output-address-refused', 0]);
    },
  );

  it.each([301, 302, 303, 304, 307, 308])(
    'follows no redirect of status %i, and does not tell where',
    async (status) => {
      const error = await jobErrorOf(publish(server.url(`/put/${status}`)));
      const url = server.url(`/put/${status}`);
      expect([error.code, error.message]).toEqual([
        'output-refused',
        `The output /out/a was refused at ${url}: HTTP status ${status}, and uploads follow no redirect.`,
      ]);
      expect(server.requests).toHaveLength(1);
    },
  );

  it.each([
    [400, 'output-refused'],
    [401, 'output-refused'],
    [403, 'output-refused'],
    [404, 'output-refused'],
    [409, 'output-refused'],
    [411, 'output-refused'],
    [413, 'output-refused'],
    [408, 'output-upload-failed'],
    [429, 'output-upload-failed'],
    [500, 'output-upload-failed'],
    [503, 'output-upload-failed'],
    [507, 'output-upload-failed'],
  ])('that is answered by %i ends with %s', async (status, code) => {
    const error = await jobErrorOf(publish(`${server.url(`/put/${status}`)}?signature=hidden`));
    expect(error.code).toBe(code);
    expect(error.message).toContain(`HTTP status ${status}`);
    expect(error.message).not.toContain('hidden');
  });

  it('is not published by an answer that came before all was taken', async () => {
    truncateSync(tree.path('out/a'), LARGE_BYTES);
    expect(await codeOf(publish(server.url('/put/early')))).toBe('output-upload-failed');
  });

  it('may be refused before all was taken', async () => {
    truncateSync(tree.path('out/a'), LARGE_BYTES);
    expect(['output-refused', 'output-upload-failed']).toContain(await codeOf(publish(server.url('/put/early-no'))));
  });

  it.each(['/put/never-reads', '/put/never-answers'])('is to be tried again when its server is %s', async (path) => {
    if (path === '/put/never-reads') truncateSync(tree.path('out/a'), LARGE_BYTES);
    const httpTimeouts = { ...DEFAULT_HTTP_TIMEOUTS, answerMs: 300 };
    const error = await jobErrorOf(publish(server.url(path), { rules: rules({ httpTimeouts }) }));
    expect([error.code, error.message]).toEqual([
      'output-upload-failed',
      `The output /out/a could not be uploaded to ${server.url(path)}: no answer within 300 ms`,
    ]);
  });

  it('is to be tried again when its server never stalls and takes less than the least rate', async () => {
    truncateSync(tree.path('out/a'), LARGE_BYTES);
    const httpTimeouts = { ...DEFAULT_HTTP_TIMEOUTS, graceMs: 1_000, leastBytesPerS: 2 ** 30 };
    const error = await jobErrorOf(publish(server.url('/put/slow'), { rules: rules({ httpTimeouts }) }));
    expect([error.code, error.message]).toEqual([
      'output-upload-failed',
      `The output /out/a could not be uploaded to ${server.url('/put/slow')}: fewer than 1073741824 bytes a second were moved, beyond 1000 ms`,
    ]);
  });

  it('is to be tried again when the connection is reset or nobody listens', async () => {
    truncateSync(tree.path('out/a'), LARGE_BYTES);
    expect(await codeOf(publish(server.url('/put/reset')))).toBe('output-upload-failed');
    const nobody = rules({ outputPrefixes: ['http://127.0.0.1:1'] });
    expect(await codeOf(publish('http://127.0.0.1:1/a', { rules: nobody }))).toBe('output-upload-failed');
  });

  it('is what was staged, or nothing: bytes that somebody has changed meanwhile are not sent', async () => {
    const place = placeOf({ rules: rules(), sendDirectory: tree.path('send/bytes') });
    const output = { url: server.url('/put/200'), path: '/out/a' };
    const limit = { bytes: 2 ** 40, jobBytes: 2 ** 40 };
    const source = { directory: tree.path('out'), name: 'a' };
    const staged = await stageOutput(output, source, {
      place,
      temporary: '.porin-x-0.part',
      limit,
      signal: never,
      files: new JobFiles(),
    });
    truncateSync(tree.path('out/a'), 10);
    for (const bytes of [10, CONTENT.length + 10]) {
      truncateSync(tree.path('send/bytes/.porin-x-0.part'), bytes);
      const error = await jobErrorOf(publishStaged(staged, place, { signal: never, files: new JobFiles() }));
      expect([error.code, error.message]).toEqual([
        'staged-output-lost',
        'The staged bytes of the output /out/a are not on node node-a.',
      ]);
    }
    expect(server.connections).toBe(0);
  });

  it('ends with the reason of its signal before and while it is sent', async () => {
    const stopped = publish(server.url('/put/200'), { signal: AbortSignal.abort('canceled') });
    await expect(stopped).rejects.toBe('canceled');
    expect(server.connections).toBe(0);
    truncateSync(tree.path('out/a'), LARGE_BYTES);
    for (const path of ['/put/never-reads', '/put/never-answers']) {
      const controller = new AbortController();
      const outcome = expect(publish(server.url(path), { signal: controller.signal })).rejects.toBe('wall-time');
      const asked = server.requests.length;
      while (server.requests.length === asked) await sleep(1);
      controller.abort('wall-time');
      await outcome;
    }
  });
});
