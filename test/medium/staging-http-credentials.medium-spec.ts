/** The job's credentials in requests over HTTP, and inputs that are read on where their connection broke. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Credential, type StagingRules, stageInput } from '#lib/staging';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { type Answer, HttpServer } from '../support/http-server.js';
import { jobErrorOf, publishOutput, rulesWith, sha256, Tree } from '../support/staging.js';

const CONTENT = Buffer.alloc(1_500_003, 'EDF+ ');
const never = new AbortController().signal;

let tree: Tree;
let server: HttpServer;
let other: HttpServer;
let proxy: CuttingProxy | undefined;

/** Takes ranges, if the validator is that of its version. `sent`: bytes of the rest; all of it by default. */
const versioned =
  (etag: () => string | undefined, takesRanges = true, sent = CONTENT.length): Answer =>
  (request, response) => {
    const version = etag();
    if (version !== undefined) response.setHeader('etag', version);
    const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    if (start === undefined || !takesRanges || request.headers['if-range'] !== version) return response.end(CONTENT);
    const rest = CONTENT.subarray(Number(start)).subarray(0, sent);
    const last = Number(start) + rest.length - 1;
    response.writeHead(206, { 'content-range': `bytes ${start}-${last}/${CONTENT.length}` }).end(rest);
  };
let changes = 0;

beforeEach(async () => {
  tree = new Tree();
  tree.directory('staged');
  changes = 0;
  const whole: Answer = (_request, response) => response.end('content');
  other = await HttpServer.start({ '/data/a': whole });
  const redirect =
    (location: () => string): Answer =>
    (_request, response) =>
      response.writeHead(302, { location: location() }).end();
  server = await HttpServer.start({
    '/data/a': whole,
    '/data/deep/a': whole,
    '/free/a': whole,
    '/data/to-free': redirect(() => '/free/a'),
    '/data/to-deep': redirect(() => '/data/deep/a'),
    '/data/to-other': redirect(() => other.url('/data/a')),
    '/strong': versioned(() => '"1"'),
    '/weak': versioned(() => 'W/"1"'),
    '/none': versioned(() => undefined),
    '/changing': versioned(() => `"${changes++}"`),
    '/rangeless': versioned(() => '"1"', false),
    '/short': versioned(() => '"1"', true, 1000),
  });
});
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
  await Promise.all([server.stop(), other.stop()]);
  expect(tree.openDescriptors()).toEqual([]);
  tree.remove();
});

function rules(credentials: readonly Credential[], more: Partial<StagingRules> = {}): StagingRules {
  const prefixes = [server.url('/'), other.url('/')];
  return rulesWith({
    inputPrefixes: prefixes,
    outputPrefixes: prefixes,
    allowPrivateAddresses: true,
    credentials,
    ...more,
  });
}

/** What the server was told of the sender, request by request. */
async function told(path: string, credentials: readonly Credential[]): Promise<(string | undefined)[]> {
  await stageInput({ url: server.url(path), path: '/in/a' }, tree.path('staged/a'), rules(credentials), never);
  return server.requests.map(({ headers }) => headers.authorization);
}

const bearer = (path: string, token: string): Credential => ({ kind: 'bearer', prefix: server.url(path), token });

describe('a credential of the job', () => {
  it('opens what lies below its prefix, the longest one first', async () => {
    const credentials = [bearer('/data', 'wide'), bearer('/data/deep/', 'deep'), bearer('/', 'widest')];
    expect(await told('/data/deep/a', credentials)).toEqual(['Bearer deep']);
  });

  it('may be a user with a password, or any header', async () => {
    const basic = { kind: 'basic', prefix: server.url('/data/'), user: 'lab', password: 'p:ä' } as const;
    expect(await told('/data/a', [basic])).toEqual([`Basic ${Buffer.from('lab:p:ä').toString('base64')}`]);
    const headers = { 'X-Api-Key': 'of-the-lab' };
    const url = server.url('/data/deep/a');
    const credentials: Credential[] = [{ kind: 'headers', prefix: server.url('/data/'), headers }];
    await stageInput({ url, path: '/in/b' }, tree.path('staged/b'), rules(credentials), never);
    expect(server.requests.at(-1)?.headers['x-api-key']).toBe('of-the-lab');
  });

  it.each([
    ['/free/a', [undefined]],
    ['/data/to-free', ['Bearer wide', undefined]],
    ['/data/to-deep', ['Bearer wide', 'Bearer wide']],
    ['/data/to-other', ['Bearer wide']],
  ])('stays below its prefix and at its origin: %s', async (path, expected) => {
    const elsewhere: Credential = { kind: 'bearer', prefix: other.url('/data'), token: 'elsewhere' };
    expect(await told(path, [bearer('/data', 'wide'), elsewhere])).toEqual(expected);
    expect(other.requests.map(({ headers }) => headers.authorization)).toEqual(
      path === '/data/to-other' ? [undefined] : [],
    );
  });

  it('goes with an output, and is in no message', async () => {
    tree.write('out/a', 'content');
    const publish = () =>
      publishOutput(
        { url: server.url('/nowhere/a'), path: '/out/a' },
        { directory: tree.path('out'), name: 'a' },
        {
          rules: rules([bearer('/nowhere', 'hidden')]),
          sendDirectory: tree.path('send/bytes'),
          limitBytes: 1000,
          signal: never,
          beforeCommit: () => Promise.resolve(),
        },
      );
    const error = await jobErrorOf(publish());
    expect(server.requests[0]?.headers.authorization).toBe('Bearer hidden');
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      expect(`${cause.message} ${JSON.stringify(cause)} ${cause.stack}`).not.toContain('hidden');
    }
  });
});

describe('an input whose connection breaks', () => {
  async function stage(path: string) {
    proxy = await CuttingProxy.start(server.port, (connection) => (connection <= 3 ? { received: 400_000 } : null));
    const url = `http://127.0.0.1:${proxy.port}${path}`;
    const changed = rules([], { inputPrefixes: [url] });
    return stageInput({ url, path: '/in/a' }, tree.path('staged/a'), changed, never);
  }

  it('is read on where its server can tell that it is the same', async () => {
    await expect(stage('/strong')).resolves.toEqual({ sha256: sha256(CONTENT), bytes: CONTENT.length });
    expect(server.requests.map(({ headers }) => headers['if-range'])).toEqual([undefined, '"1"', '"1"', '"1"']);
  });

  it.each([
    ['/weak', /ECONNRESET|the connection ended before the transfer did/, 1],
    ['/none', /ECONNRESET|the connection ended before the transfer did/, 1],
    ['/changing', /the server gave no more of the same content/, 2],
    ['/rangeless', /the server gave no more of the same content/, 2],
    ['/short', /the server has sent \d+ of \d+ bytes/, 2],
  ])('is left to another attempt where it cannot: %s', async (path, detail, requests) => {
    const error = await jobErrorOf(stage(path));
    expect([error.code, error.message]).toEqual(['input-fetch-failed', expect.stringMatching(detail)]);
    expect(server.requests).toHaveLength(requests);
    expect(tree.list('staged')).toEqual([]);
  });
});
