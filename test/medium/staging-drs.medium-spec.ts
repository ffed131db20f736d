/** Inputs of a DRS server over TLS: what it says of an object is followed, checked, and never believed. */
import { createServer, type Server } from 'node:https';
import { type IncomingMessage } from 'node:http';
import { type AddressInfo } from 'node:net';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CachedInputs, InputCache, type StagingRules, stageInput } from '#lib/staging';
import { HttpServer } from '../support/http-server.js';
import { selfSigned } from '../support/self-signed.js';
import { jobErrorOf, rulesWith, sha256, Tree } from '../support/staging.js';

const CONTENT = Buffer.alloc(300_001, 'EDF+ ');
const never = new AbortController().signal;
const { key, certificate } = selfSigned('127.0.0.1');
const md5 = createHash('md5').update(CONTENT).digest('hex');

let tree: Tree;
let drs: Server;
let archive: HttpServer;
/** Where the archive's redirects lead. */
let other: HttpServer;
let requests: IncomingMessage[];
/** By path. */
let answers: Record<string, object | number>;

beforeEach(async () => {
  tree = new Tree();
  tree.directory('staged');
  requests = [];
  other = await HttpServer.start({ '/data/a': (_request, response) => response.end(CONTENT) });
  archive = await HttpServer.start({
    '/data/a': (_request, response) => response.end(CONTENT),
    '/data/versioned': (request, response) => {
      response.setHeader('etag', '"1"');
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
      else response.end(CONTENT);
    },
    '/data/elsewhere': (_request, response) => response.writeHead(302, { location: other.url('/data/a') }).end(),
  });
  answers = {};
  drs = createServer({ key, cert: certificate }, (request, response) => {
    requests.push(request);
    const answer = answers[request.url ?? ''] ?? 404;
    if (typeof answer === 'number') response.writeHead(answer).end();
    else response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => drs.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  drs.closeAllConnections();
  await Promise.all([new Promise((resolve) => drs.close(resolve)), archive.stop(), other.stop()]);
  expect(tree.openDescriptors()).toEqual([]);
  tree.remove();
});

const host = () => `127.0.0.1:${(drs.address() as AddressInfo).port}`;
const object = (id: string, answer: object | number) => (answers[`/ga4gh/drs/v1/objects/${id}`] = answer);
const https = (path = '/data/a', headers?: string[]) => ({
  access_methods: [{ type: 'https', access_url: { url: archive.url(path), ...(headers && { headers }) } }],
});

function stage(id: string, changes: Partial<StagingRules> = {}) {
  const rules = rulesWith({
    inputPrefixes: [`drs://${host()}/`, archive.url('/data'), other.url('/data')],
    allowPrivateAddresses: true,
    authorities: certificate,
    ...changes,
  });
  return stageInput({ url: `drs://${host()}/${id}`, path: '/in/a' }, tree.path('staged/a'), rules, never);
}

describe('an input of DRS', () => {
  it.each([
    [{ type: 'sha-256', checksum: sha256(CONTENT) }],
    [{ type: 'md5', checksum: md5.toUpperCase() }],
    [{ type: 'crc32c', checksum: 'of an unknown kind' }],
  ])('is brought from where its server says, and held to %j', async (checksum) => {
    object('a%2Fb%3Ac', { ...https(), checksums: [checksum], size: CONTENT.length });
    await expect(stage('a/b%3Ac')).resolves.toEqual({ sha256: sha256(CONTENT), bytes: CONTENT.length });
    expect(readFileSync(tree.path('staged/a')).equals(CONTENT)).toBe(true);
  });

  it('is taken of the node where the place of its bytes says that they are the same, and is held to what is announced', async () => {
    const cache = await InputCache.open({
      directory: tree.path('cache/of-inputs'),
      maximumBytes: 2 ** 40,
      reservedBytes: () => Promise.resolve(0),
      onProblem: (error) => expect.unreachable(String(error)),
    });
    const taken = async () => {
      const view = CachedInputs.of(cache, 'lab');
      await stage('a', { cache: view });
      rmSync(tree.path('staged/a'));
      return view.taken.files;
    };
    object('a', { ...https('/data/versioned', ['X-Key: k']), checksums: [{ type: 'md5', checksum: md5 }] });
    expect([await taken(), await taken()]).toEqual([0, 1]);
    expect(archive.requests.map(({ headers }) => headers['x-key'])).toEqual(['k', 'k']);
    object('a', { ...https('/data/versioned'), checksums: [{ type: 'md5', checksum: '0'.repeat(32) }] });
    const error = await jobErrorOf(stage('a', { cache: CachedInputs.of(cache, 'lab') }));
    expect([error.code, error.message]).toEqual(['input-fetch-failed', expect.stringContaining(`its md5 is ${md5}`)]);
    expect(tree.list('staged')).toEqual([]);
  });

  it('is brought by its access id, with the headers that it needs, which go to its own origin alone', async () => {
    object('a', {
      access_methods: [
        { type: 'gs', access_id: 'g' },
        { type: 'https', access_id: 'an/id' },
      ],
    });
    answers['/ga4gh/drs/v1/objects/a/access/an%2Fid'] = {
      url: archive.url('/data/elsewhere'),
      headers: ['Authorization: Bearer of-the-object', 'no header'],
    };
    await stage('a');
    expect(archive.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer of-the-object']);
    expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('chooses no header that says where or how it is fetched', async () => {
    object(
      'a',
      https('/data/a', ['Host: elsewhere.example.org', 'range: bytes=1-', 'X-Key: k', 'Accept-Encoding: gzip']),
    );
    await expect(stage('a')).resolves.toEqual({ sha256: sha256(CONTENT), bytes: CONTENT.length });
    const [asked] = archive.requests;
    expect(asked?.headers).toMatchObject({
      host: new URL(archive.url('/')).host,
      'x-key': 'k',
      'accept-encoding': 'identity',
    });
    expect(asked?.headers.range).toBeUndefined();
  });

  it('is fetched by no secret of the job, whose URL the server has chosen', async () => {
    object('a', https());
    await stage('a', { credentials: [{ kind: 'bearer', prefix: archive.url('/data/'), token: 'of-the-job' }] });
    expect(archive.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('is asked for by the job’s credential, which the place of the bytes does not see', async () => {
    object('a', https());
    await stage('a', { credentials: [{ kind: 'bearer', prefix: `drs://${host()}/`, token: 'of-the-job' }] });
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer of-the-job']);
    expect(archive.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it.each<[string, () => object | number, Partial<StagingRules>, string, string]>([
    ['it is not there', () => 404, {}, 'input-not-found', 'does not exist'],
    ['nobody may have it', () => 403, {}, 'input-refused', 'HTTP status 403 of its DRS server'],
    ['it is a bundle', () => ({ contents: [] }), {}, 'input-refused', 'bundles are no input'],
    ['its server sends to others', () => 302, {}, 'input-fetch-failed', 'HTTP status 302'],
    ['the answer is none', () => ({ access_methods: 'x' }), {}, 'input-fetch-failed', 'none of DRS'],
    ['it lies elsewhere', () => https('/other/a'), {}, 'input-not-allowed', '/other/a'],
    [
      'it is a file of the node',
      () => ({ access_methods: [{ type: 'https', access_url: { url: 'file:///etc/passwd' } }] }),
      { inputPrefixes: ['file:///', 'drs://127.0.0.1'] },
      'input-not-allowed',
      '',
    ],
    ['it has another size', () => ({ ...https(), size: 1 }), {}, 'input-fetch-failed', 'its DRS server says 1'],
    [
      'it is something else',
      () => ({ ...https(), checksums: [{ type: 'md5', checksum: '0'.repeat(32) }] }),
      {},
      'input-fetch-failed',
      `its md5 is ${md5}`,
    ],
    ['the server is private', () => https(), { allowPrivateAddresses: false }, 'input-address-refused', '127.0.0.1'],
    ['the server is not trusted', () => https(), { authorities: undefined }, 'input-fetch-failed', 'SELF_SIGNED'],
  ])('is refused where %s', async (_case, answer, changes, code, text) => {
    object('a', answer());
    const error = await jobErrorOf(stage('a', changes));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(text)]);
    expect(tree.list('staged')).toEqual([]);
  });
});
