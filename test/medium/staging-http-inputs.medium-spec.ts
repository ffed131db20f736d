/** Inputs over real HTTP connections: redirects, addresses, credentials, limits, and servers that misbehave. */
import { type LookupAddress } from 'node:dns';
import { readFileSync, statSync } from 'node:fs';
import { createServer as createTlsServer, get } from 'node:https';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_HTTP_TIMEOUTS, type StagingRules, stageInput } from '#lib/staging';
import { HttpClient, type ResolveName } from '../../libs/staging/src/http/http-client.js';
import { eventually } from '../support/eventually.js';
import { type Answer, HttpServer } from '../support/http-server.js';
import { selfSigned } from '../support/self-signed.js';
import { codeOf, jobErrorOf, rulesWith, sha256, Tree } from '../support/staging.js';

const CONTENT = Buffer.alloc(1_000_003, 'EDF+ ');
const never = new AbortController().signal;
const redirect =
  (location: string | (() => string), status = 302): Answer =>
  (_request, response) =>
    response.writeHead(status, { location: typeof location === 'string' ? location : location() }).end('moved');
const status =
  (code: number): Answer =>
  (_request, response) =>
    response.writeHead(code).end('body of no interest');

let tree: Tree;
let archive: HttpServer;
/** Another origin that is never in the allow-list unless a test says so. */
let other: HttpServer;

beforeEach(async () => {
  tree = new Tree();
  tree.directory('staged');
  other = await HttpServer.start({
    '/data/a': (_request, response) => response.end(CONTENT),
    '/data/back': redirect(() => archive.url('/data/a')),
  });
  archive = await HttpServer.start({
    '/data/a': (_request, response) => response.end(CONTENT),
    '/data/chunked': (_request, response) => {
      response.write(CONTENT.subarray(0, 10));
      response.end(CONTENT.subarray(10));
    },
    '/data/endless': (_request, response) => {
      const more = () => {
        while (response.write(CONTENT));
        response.once('drain', more);
      };
      more();
    },
    '/data/gzip': (_request, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(CONTENT)),
    '/data/short': (_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half');
      setImmediate(() => response.destroy());
    },
    '/data/cut': (_request, response) => {
      response.write('a chunk');
      setImmediate(() => response.destroy());
    },
    '/data/dripping': (_request, response) => {
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
    },
    '/data/silent': () => undefined,
    '/data/stalled': (_request, response) => void response.write('then nothing'),
    '/data/relative': redirect('a?x=1'),
    '/data/loop': redirect('loop'),
    '/data/no-location': status(302),
    '/data/bad-location': redirect('http://[nonsense'),
    '/data/to-sibling': redirect('/data-evil/a'),
    '/data/to-above': redirect('/data/%2e%2e/secret'),
    '/data/to-other': redirect(() => other.url('/data/a')),
    '/data/to-back': redirect(() => other.url('/data/back')),
    '/data/to-file': redirect(() => tree.url('allowed/a')),
    '/data/with-password': redirect(() => archive.url('/data/a').replace('//', '//user:secret@')),
    ...Object.fromEntries([301, 302, 303, 307, 308].map((code) => [`/data/moved-${code}`, redirect('/data/a', code)])),
    ...Object.fromEntries(
      [201, 204, 206, 304, 400, 401, 403, 404, 408, 410, 425, 429, 451, 500, 502, 503, 504].map((code) => [
        `/data/status-${code}`,
        status(code),
      ]),
    ),
  });
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await eventually(() => Promise.resolve(expect(archive.openConnections).toBe(0)));
  await Promise.all([archive.stop(), other.stop()]);
  expect(tree.openDescriptors()).toEqual([]);
  tree.remove();
});

function rules(changes: Partial<StagingRules> = {}): StagingRules {
  return rulesWith({ inputPrefixes: [archive.url('/data')], allowPrivateAddresses: true, ...changes });
}

function stage(url: string, changes: Partial<StagingRules> = {}, digest?: string) {
  const input = { url, path: '/in/a', ...(digest === undefined ? {} : { sha256: digest }) };
  return stageInput(input, tree.path('staged/a'), rules(changes), never);
}

/** The refusal, after which nothing may be left. */
async function refusal(url: string, changes?: Partial<StagingRules>) {
  const { code, message } = await jobErrorOf(stage(url, changes));
  expect(tree.list('staged')).toEqual([]);
  return { code, message };
}

describe('an input over HTTP', () => {
  it.each(['/data/a', '/data/chunked'])('%s is stored read-only with its digest', async (path) => {
    const expected = { sha256: sha256(CONTENT), bytes: CONTENT.length };
    await expect(stage(`${archive.url(path)}?token=1`, {}, sha256(CONTENT))).resolves.toEqual(expected);
    expect(readFileSync(tree.path('staged/a')).equals(CONTENT)).toBe(true);
    expect(statSync(tree.path('staged/a')).mode & 0o7777).toBe(0o444);
    const [request] = archive.requests;
    expect([request?.method, request?.url]).toEqual(['GET', `${path}?token=1`]);
    expect(request?.headers).toMatchObject({ 'accept-encoding': 'identity' });
    expect(request?.headers).not.toHaveProperty('authorization');
  });

  it('is stored as it was sent, also by a server that compresses unasked', async () => {
    await stage(archive.url('/data/gzip'));
    expect(readFileSync(tree.path('staged/a')).equals(gzipSync(CONTENT))).toBe(true);
  });

  it('may come by name and over IPv6', async () => {
    const ipv6 = await HttpServer.start({ '/data/a': (_request, response) => response.end('six') }, '::1');
    for (const host of ['[::1]', '[0:0::1]']) {
      const prefixes = { inputPrefixes: [ipv6.url('/data', '[::1]')] };
      const target = tree.path(`staged/${host.length}`);
      await stageInput({ url: ipv6.url('/data/a', host), path: '/in/a' }, target, rules(prefixes), never);
    }
    await ipv6.stop();
    await stage(archive.url('/data/a', 'localhost'), { inputPrefixes: [archive.url('/', 'localhost')] });
    expect(tree.list('staged')).toEqual(['5', '8', 'a']);
  });

  it.each([
    ['/data-evil/a', 'input-not-allowed'],
    ['/', 'input-not-allowed'],
    ['/data/../secret', 'input-url-malformed'],
    ['/data/%2e%2e/secret', 'input-url-malformed'],
    ['/data/..%2fsecret', 'input-url-malformed'],
    ['/data/..;/secret', 'input-url-malformed'],
    ['/data/a#b', 'input-url-malformed'],
  ])('is refused from %s, and nothing is asked', async (path, code) => {
    expect((await refusal(archive.url(path))).code).toBe(code);
    expect(archive.connections).toBe(0);
  });

  it('is refused when its digest is another one', async () => {
    expect(await codeOf(stage(archive.url('/data/a'), {}, sha256('other')))).toBe('input-checksum-mismatch');
    expect(tree.list('staged')).toEqual([]);
  });

  it('is refused over the limit by its announced size, or while it is read, and taken at the limit', async () => {
    for (const path of ['/data/a', '/data/chunked', '/data/endless']) {
      const refused = await refusal(archive.url(path), { inputLimitBytes: CONTENT.length - 1 });
      expect(refused.code).toBe('input-too-large');
    }
    await expect(stage(archive.url('/data/chunked'), { inputLimitBytes: CONTENT.length })).resolves.toMatchObject({
      bytes: CONTENT.length,
    });
  });

  it.each([
    [404, 'input-not-found'],
    [410, 'input-not-found'],
    [400, 'input-refused'],
    [401, 'input-refused'],
    [403, 'input-refused'],
    [451, 'input-refused'],
    [408, 'input-fetch-failed'],
    [425, 'input-fetch-failed'],
    [429, 'input-fetch-failed'],
    [500, 'input-fetch-failed'],
    [502, 'input-fetch-failed'],
    [503, 'input-fetch-failed'],
    [504, 'input-fetch-failed'],
    [201, 'input-fetch-failed'],
    [204, 'input-fetch-failed'],
    [206, 'input-fetch-failed'],
    [304, 'input-fetch-failed'],
  ])('that is answered by %i ends with %s', async (code, expected) => {
    const refused = await refusal(archive.url(`/data/status-${code}`));
    expect(refused.code).toBe(expected);
    if (expected !== 'input-not-found') expect(refused.message).toContain(`HTTP status ${code}`);
  });

  it.each([
    ['/data/short', 'the connection ended before the transfer did'],
    ['/data/cut', 'the connection ended before the transfer did'],
    ['/data/silent', 'no answer within 300 ms'],
    ['/data/stalled', 'nothing was received for 400 ms'],
  ])('%s is to be tried again: %s', async (path, detail) => {
    const httpTimeouts = { ...DEFAULT_HTTP_TIMEOUTS, answerMs: 300, stallMs: 400 };
    expect(
      await refusal(archive.url(path), path === '/data/silent' || path === '/data/stalled' ? { httpTimeouts } : {}),
    ).toEqual({
      code: 'input-fetch-failed',
      message: `The input ${archive.url(path)} for /in/a could not be fetched: ${detail}`,
    });
  });

  it('is to be tried again when nobody listens, the name does not exist, or the connection is never made', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => mute.once('listening', resolve));
    const { port } = mute.address() as AddressInfo;
    const httpTimeouts = { ...DEFAULT_HTTP_TIMEOUTS, connectMs: 300 };
    const prefixes = [`https://127.0.0.1:${port}`, `http://127.0.0.1:1`, 'http://nowhere.invalid'];
    for (const [url, detail] of [
      [`https://127.0.0.1:${port}/`, 'no connection within 300 ms'],
      ['http://127.0.0.1:1/', 'ECONNREFUSED'],
    ] as const) {
      const refused = await refusal(url, { inputPrefixes: prefixes, httpTimeouts });
      expect(refused).toEqual({
        code: 'input-fetch-failed',
        message: `The input ${url} for /in/a could not be fetched: ${detail}`,
      });
    }
    const nameless = await refusal('http://nowhere.invalid/', { inputPrefixes: prefixes });
    expect(nameless.code).toBe('input-fetch-failed');
    sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => mute.close(resolve));
  });

  it('is to be tried again when its server never stalls and sends less than the least rate', async () => {
    const httpTimeouts = { ...DEFAULT_HTTP_TIMEOUTS, graceMs: 500, leastBytesPerS: 1_000 };
    expect(await refusal(archive.url('/data/dripping'), { httpTimeouts })).toEqual({
      code: 'input-fetch-failed',
      message: `The input ${archive.url('/data/dripping')} for /in/a could not be fetched: fewer than 1000 bytes a second were moved, beyond 500 ms`,
    });
  });

  it.each(['/data/silent', '/data/stalled', '/data/endless'])(
    'ends with the reason of its signal while %s is under way',
    async (path) => {
      const controller = new AbortController();
      const input = { url: archive.url(path), path: '/in/a' };
      const outcome = expect(stageInput(input, tree.path('staged/a'), rules(), controller.signal)).rejects.toBe(
        'canceled',
      );
      const begun = () => (path === '/data/silent' ? archive.requests : tree.list('staged')).length > 0;
      while (!begun()) await new Promise((resolve) => setImmediate(resolve));
      controller.abort('canceled');
      await outcome;
      expect(tree.list('staged')).toEqual([]);
    },
  );
});

describe('the server of an input', () => {
  it('is never one that the path names', async () => {
    const url = archive.url(`//127.0.0.1:${other.port}/data/a`);
    const input = { url: url.replace('//', '//user:secret@'), path: '/in/a' };
    const anywhere = rules({ inputPrefixes: [archive.url('/')] });
    expect(await codeOf(stageInput(input, tree.path('staged/a'), anywhere, never))).toBe('input-not-found');
    expect(archive.requests.map((request) => request.url)).toEqual([`//127.0.0.1:${other.port}/data/a`]);
    expect(other.connections).toBe(0);
  });

  it('must prove its name, even where the environment says it need not', async () => {
    const { key, certificate } = selfSigned('127.0.0.1');
    const impostor = createTlsServer({ key, cert: certificate }, (_request, response) => response.end('forged'));
    await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
    const { port } = impostor.address() as AddressInfo;
    const options = { host: '127.0.0.1', port, ca: certificate, agent: false };
    const trusting = await new Promise((resolve, reject) => {
      get(options, (response) => resolve(response.resume().statusCode)).on('error', reject);
    });
    expect(trusting).toBe(200);
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const refused = await refusal(`https://127.0.0.1:${port}/`, { inputPrefixes: [`https://127.0.0.1:${port}/`] });
    expect(refused).toEqual({
      code: 'input-fetch-failed',
      message: `The input https://127.0.0.1:${port}/ for /in/a could not be fetched: DEPTH_ZERO_SELF_SIGNED_CERT`,
    });
    impostor.closeAllConnections();
    await new Promise((resolve) => impostor.close(resolve));
  });
});

describe('a redirect of an input', () => {
  it.each([301, 302, 303, 307, 308])('of status %i is followed', async (code) => {
    await expect(stage(archive.url(`/data/moved-${code}`))).resolves.toMatchObject({ bytes: CONTENT.length });
  });

  it('may be relative, and goes to another origin where that is allowed', async () => {
    await stage(archive.url('/data/relative'));
    expect(archive.requests.map(({ url }) => url)).toEqual(['/data/relative', '/data/a?x=1']);
    const both = { inputPrefixes: [archive.url('/data'), other.url('/data')] };
    await stageInput({ url: archive.url('/data/to-other'), path: '/in/b' }, tree.path('staged/b'), rules(both), never);
    expect(other.requests).toHaveLength(1);
  });

  it.each(['/data/to-sibling', '/data/to-above', '/data/to-other'])(
    '%s, which is not allowed, is not followed',
    async (path) => {
      expect((await refusal(archive.url(path))).code).toBe('input-not-allowed');
      expect([archive.requests.length, other.connections]).toEqual([1, 0]);
    },
  );

  it("never leads to the node's files, not even to allowed ones", async () => {
    tree.write('allowed/a', 'of this node');
    const prefixes = { inputPrefixes: [archive.url('/data'), tree.url('allowed')] };
    expect(await refusal(archive.url('/data/to-file'), prefixes)).toEqual({
      code: 'input-not-allowed',
      message: `Inputs may not come from ${tree.url('allowed/a')}. Allowed prefixes: ${prefixes.inputPrefixes.join(', ')}`,
    });
  });

  it.each([
    ['/data/loop', 'more than 10 redirects'],
    ['/data/no-location', 'a redirect to no valid URL'],
    ['/data/bad-location', 'a redirect to no valid URL'],
  ])('%s ends: %s', async (path, detail) => {
    const refused = await refusal(archive.url(path));
    expect(refused.code).toBe('input-fetch-failed');
    expect(refused.message).toContain(detail);
  });
});

describe('credentials of an input', () => {
  const credentials = `Basic ${Buffer.from('user:secret').toString('base64')}`;
  const withUser = (path: string) => archive.url(path).replace('//', '//user:secret@');
  const sent = (server: HttpServer) => server.requests.map(({ headers }) => headers.authorization);

  it('go to their own origin, also after a redirect inside it', async () => {
    await stage(withUser('/data/relative'));
    expect(sent(archive)).toEqual([credentials, credentials]);
  });

  it('do not go to another origin, nor back from there', async () => {
    await stage(withUser('/data/to-back'), { inputPrefixes: [archive.url('/data'), other.url('/data')] });
    expect(sent(archive)).toEqual([credentials, undefined]);
    expect(sent(other)).toEqual([undefined]);
    expect(other.requests[0]?.headers).not.toHaveProperty('referer');
  });

  it('are not taken from a redirect', async () => {
    await stage(archive.url('/data/with-password'));
    expect(sent(archive)).toEqual([undefined, undefined]);
  });

  it.each([
    '/data/status-403',
    '/data/status-404',
    '/data/status-500',
    '/data/loop',
    '/data/cut',
    '/data/to-other',
    '/x',
  ])('are in no message of %s, nor in its causes', async (path) => {
    const error = await jobErrorOf(stage(`${withUser(path)}?signature=hidden#hidden`));
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      expect(`${cause.message} ${JSON.stringify(cause)} ${cause.stack}`).not.toMatch(/secret|hidden|user:/);
    }
  });
});

describe('the addresses of an input', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['10.0.0.1', '10.0.0.1'],
    ['169.254.169.254', '169.254.169.254'],
    ['[::1]', '::1'],
    ['[::]', '::'],
    ['[::ffff:127.0.0.1]', '::ffff:7f00:1'],
    ['[64:ff9b::127.0.0.1]', '64:ff9b::7f00:1'],
    ['[fd00::1]', 'fd00::1'],
  ])('are refused by default: %s', async (host, address) => {
    const changes = { allowPrivateAddresses: false, inputPrefixes: [archive.url('/', host)] };
    const url = archive.url('/data/a', host);
    expect(await refusal(url, changes)).toEqual({
      code: 'input-address-refused',
      message: `The input ${new URL(url).href} leads to ${address}, a private, loopback or link-local address, which is refused here.`,
    });
    expect(archive.connections).toBe(0);
  });

  it('are refused by default behind a name', async () => {
    const changes = { allowPrivateAddresses: false, inputPrefixes: [archive.url('/', 'localhost')] };
    const refused = await refusal(archive.url('/data/a', 'localhost'), changes);
    expect(refused.code).toBe('input-address-refused');
    expect(refused.message).toMatch(/leads to (127\.0\.0\.1|::1), /);
    expect(archive.connections).toBe(0);
  });

  it('are those that were checked: the name is resolved once for a connection', async () => {
    const answers: LookupAddress[][] = [[{ address: '127.0.0.1', family: 4 }], [{ address: '127.0.0.2', family: 4 }]];
    const asked: string[] = [];
    const resolve = ((name: string, _options: object, callback: (error: null, found: LookupAddress[]) => void) =>
      callback(null, answers[asked.push(name) - 1] ?? [])) as unknown as ResolveName;
    const client = new HttpClient({ allowPrivateAddresses: true }, never, resolve);
    const url = new URL(archive.url('/data/status-404', 'archive.example.org'));
    const { statusCode } = await client.request({ url, method: 'GET', headers: {} });
    await client.close();
    expect([statusCode, asked, archive.requests[0]?.headers.host]).toEqual([404, ['archive.example.org'], url.host]);
    expect(archive.requests[0]?.socket.localAddress).toBe('127.0.0.1');
  });
});
