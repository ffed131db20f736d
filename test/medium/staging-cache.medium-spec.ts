/** Inputs that the node has already: when a job gets them without fetching, when it must not, and what becomes of damage and full disks. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InputReference } from '#lib/jobs';
import { CachedInputs, InputCache, stageInput, type StagingRules } from '#lib/staging';
import { S3_START_MS, S3Server } from '../../scripts/services/s3-server.js';
import { eventually } from '../support/eventually.js';
import { type Answer, HttpServer } from '../support/http-server.js';
import { codeOf, jobErrorOf, rulesWith, sha256, Tree } from '../support/staging.js';

const MIB = 1024 ** 2;
const never = new AbortController().signal;
const OLD = Buffer.alloc(2 * MIB, 'EDF+ ');
const NEW = Buffer.alloc(2 * MIB, 'BDF+ ');

/** What the server has at every URL below /data/. */
let content: Buffer;
let headers: Record<string, string>;
/** Without it, 403; undefined: everybody may read. */
let token: string | undefined;
/** Sends a body in spite of every condition. */
let isPlain: boolean;
let bodies: number;

let tree: Tree;
let server: HttpServer;
let cache: InputCache;
let problems: unknown[];
let staged: number;

const data: Answer = (request, response) => {
  if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
    return void response.writeHead(403).end();
  }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (!isPlain && headers.etag !== undefined && request.headers['if-none-match'] === headers.etag) {
    return void response.writeHead(304).end();
  }
  bodies += 1;
  response.setHeader('content-length', content.length).end(content);
};

beforeEach(async () => {
  [content, headers, token, isPlain, bodies] = [OLD, { etag: '"1"' }, undefined, false, 0];
  [problems, staged] = [[], 0];
  tree = new Tree();
  tree.directory('staged');
  server = await HttpServer.start({
    ...{ '/data/a': data, '/data/b': data, '/elsewhere/a': data },
    '/data/moved': (_request, response) => response.writeHead(302, { location: '/data/a' }).end(),
  });
  cache = await openCache();
});
afterEach(async () => {
  await eventually(() => Promise.resolve(expect(server.openConnections).toBe(0)));
  await server.stop();
  expect(tree.openDescriptors()).toEqual([]);
  tree.remove();
});

function openCache(directory = join(tree.root, 'cache'), maximumBytes = 1024 * MIB): Promise<InputCache> {
  const onProblem = (error: unknown) => problems.push(error);
  return InputCache.open({ directory, maximumBytes, reservedBytes: () => Promise.resolve(0), onProblem });
}

interface Staging {
  readonly tenant?: string;
  readonly input?: Partial<InputReference>;
  readonly rules?: Partial<StagingRules>;
  readonly target?: string;
}

/** As one job of the tenant does. */
async function stage({ tenant = 'lab', input = {}, rules = {}, target }: Staging = {}) {
  const view = CachedInputs.of(cache, tenant);
  const path = target ?? tree.path(`staged/${++staged}`);
  const given = { url: server.url('/data/a'), path: '/in/a', ...input };
  const changed = { inputPrefixes: [server.url('/data')], allowPrivateAddresses: true, ...rules, cache: view };
  const stored = await stageInput(given, path, rulesWith(changed), never);
  return { path, stored, taken: view.taken };
}

const bearer = (value: string): Partial<StagingRules> => ({
  credentials: [{ kind: 'bearer', prefix: server.url('/'), token: value }],
});
const whole = (bytes: Buffer) => ({ sha256: sha256(bytes), bytes: bytes.length });
const all = { files: 1, bytes: OLD.length };
const none = { files: 0, bytes: 0 };

describe('an input that an earlier job of the tenant brought', () => {
  it('is there without a request where the job names its digest, and nothing had to be shown for it', async () => {
    await stage();
    const { path, stored, taken } = await stage({ input: { sha256: sha256(OLD) } });
    expect([server.requests.length, stored, taken]).toEqual([1, whole(OLD), all]);
    expect(readFileSync(path).equals(OLD)).toBe(true);
    expect(statSync(path).mode & 0o7777).toBe(0o444);
  });

  it('is taken where its server says that the version is the same', async () => {
    expect((await stage()).taken).toEqual(none);
    const { path, stored, taken } = await stage();
    expect([bodies, server.requests.length, stored, taken]).toEqual([1, 2, whole(OLD), all]);
    expect(server.requests[1]?.headers['if-none-match']).toBe('"1"');
    expect(readFileSync(path).equals(OLD)).toBe(true);
  });

  it('is taken where the server knows no conditions, and tells the same version', async () => {
    isPlain = true;
    await stage();
    expect((await stage()).taken).toEqual(all);
  });

  it('is fetched where there is another version', async () => {
    await stage();
    [content, headers] = [NEW, { etag: '"2"' }];
    const { path, taken } = await stage();
    expect([bodies, taken, readFileSync(path).equals(NEW)]).toEqual([2, none, true]);
    expect((await stage()).taken).toEqual(all);
    [content, headers] = [OLD, { etag: '"3"' }];
    expect((await stage()).stored).toEqual(whole(OLD));
  });

  it.each<[string, Record<string, string>]>([
    ['none', {}],
    ['a weak one', { etag: 'W/"1"' }],
    ['one that says nothing', { etag: '""' }],
  ])('is fetched where the server gives no version to compare by: %s', async (_what, given) => {
    headers = given;
    await stage();
    content = NEW;
    expect((await stage()).stored).toEqual(whole(NEW));
  });

  it('is fetched where its server wants no copies', async () => {
    headers = { etag: '"1"', 'cache-control': 'private, No-Store' };
    await stage();
    expect((await stage({ input: { sha256: sha256(OLD) } })).taken).toEqual(none);
    expect(bodies).toBe(2);
  });

  it('is another tenant’s own matter', async () => {
    await stage();
    for (const [index, input] of [{}, { sha256: sha256(OLD) }].entries()) {
      expect((await stage({ tenant: `other-${index}`, input })).taken).toEqual(none);
    }
    expect(bodies).toBe(3);
  });

  it('is found behind a redirect, by the URL that it leads to', async () => {
    await stage();
    expect((await stage({ input: { url: server.url('/data/moved') } })).taken).toEqual(all);
  });

  it('has the limit of an input that is fetched, and its digest', async () => {
    await stage();
    expect(await codeOf(stage({ rules: { inputLimitBytes: 1000 } }))).toBe('input-too-large');
    expect(await codeOf(stage({ input: { sha256: sha256(NEW) } }))).toBe('input-checksum-mismatch');
    expect(tree.list('staged')).toEqual(['1']);
  });
});

describe('who may have it', () => {
  beforeEach(() => (token = 'of-the-lab'));

  it('is said by the server, to which the job shows its own credential', async () => {
    await stage({ rules: bearer('of-the-lab') });
    for (const input of [{}, { sha256: sha256(OLD) }]) {
      const refused = await jobErrorOf(stage({ input, rules: bearer('of-nobody') }));
      expect([refused.code, refused.message]).toEqual([
        'input-refused',
        expect.stringContaining('HTTP status 403') as string,
      ]);
      expect(await codeOf(stage({ input }))).toBe('input-refused');
      expect((await stage({ input, rules: bearer('of-the-lab') })).taken).toEqual(all);
    }
    expect(bodies).toBe(1);
  });

  it('is said by it too where it names no version, and the job names the digest', async () => {
    headers = {};
    await stage({ rules: bearer('of-the-lab') });
    const input = { sha256: sha256(OLD) };
    expect(await codeOf(stage({ input }))).toBe('input-refused');
    expect((await stage({ input, rules: bearer('of-the-lab') })).taken).toEqual(all);
  });

  it('nobody by a digest and another URL, even if that gives as many bytes', async () => {
    await stage({ rules: bearer('of-the-lab') });
    [content, token] = [NEW, undefined];
    const input = { url: server.url('/data/b'), sha256: sha256(OLD) };
    expect(await codeOf(stage({ input }))).toBe('input-checksum-mismatch');
  });

  it('nobody by the digest of what a query opened', async () => {
    token = undefined;
    await stage({ input: { url: `${server.url('/data/a')}?signature=1` } });
    token = 'of-the-lab';
    expect(await codeOf(stage({ input: { sha256: sha256(OLD) } }))).toBe('input-refused');
  });

  it('nobody who may not name the URL', async () => {
    token = undefined;
    await stage();
    const input = { sha256: sha256(OLD) };
    expect(await codeOf(stage({ input: { ...input, url: server.url('/elsewhere/a') } }))).toBe('input-not-allowed');
    expect(await codeOf(stage({ input, rules: { foreignPrefixes: [server.url('/data')] } }))).toBe('input-not-allowed');
    expect(await codeOf(stage({ input, rules: { inputPrefixes: [] } }))).toBe('input-not-allowed');
  });
});

describe('the file of the cache', () => {
  const inCache = () => {
    const [tenant = ''] = readdirSync(tree.path('cache'));
    return tree.path(`cache/${tenant}/${sha256(OLD)}`);
  };

  it('is one with the input of the job that brought it, and of one job after that', async () => {
    const first = await stage();
    expect(statSync(first.path).ino).toBe(statSync(inCache()).ino);
    const second = await stage();
    expect(statSync(second.path).ino).not.toBe(statSync(inCache()).ino);
    expect(readFileSync(second.path).equals(OLD)).toBe(true);
    rmSync(first.path);
    expect(statSync((await stage()).path).ino).toBe(statSync(inCache()).ino);
    expect(bodies).toBe(1);
  });

  it.each<[string, () => void]>([
    ['other bytes', () => writeFileSync(inCache(), NEW)],
    ['fewer bytes', () => writeFileSync(inCache(), 'x')],
    ['no bytes', () => rmSync(inCache())],
  ])('is not used with %s, which are fetched again', async (_what, damage) => {
    for (const input of [{}, { sha256: sha256(OLD) }]) {
      rmSync((await stage()).path);
      const before = bodies;
      damage();
      const { path, stored, taken } = await stage({ input });
      expect([stored, taken, bodies - before]).toEqual([whole(OLD), none, 1]);
      expect(readFileSync(path).equals(OLD)).toBe(true);
    }
    expect(problems).toEqual([]);
  });

  it('is read again by the next process', async () => {
    await stage();
    cache = await openCache();
    expect((await stage()).taken).toEqual(all);
    expect(bodies).toBe(1);
  });
});

describe('a full disk', () => {
  let disk: string;
  beforeEach(async () => {
    disk = tree.directory('disk');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', disk]);
    cache = await openCache(join(disk, 'cache'));
    content = randomBytes(3 * MIB);
  });
  afterEach(() => execFileSync('umount', [disk]));

  const onDisk = (name: string, input?: Partial<InputReference>) =>
    stage({ target: join(disk, name), ...(input && { input }) });

  it.each<[string, () => Partial<InputReference>]>([
    ['fetched', () => ({ url: server.url('/data/b') })],
    ['copied', () => ({ url: tree.url('allowed/large') })],
  ])('has room for an input that is %s, while the cache has something to give up', async (_what, input) => {
    rmSync((await onDisk('a')).path);
    tree.write('allowed/large', (content = randomBytes(7 * MIB)));
    const rules = { inputPrefixes: [server.url('/data'), tree.url('allowed')] };
    const { path, stored } = await stage({ input: input(), rules, target: join(disk, 'large') });
    expect(stored).toEqual(whole(content));
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  it('fails the input where the cache has nothing to give up that others do not use', async () => {
    await onDisk('a');
    content = randomBytes(6 * MIB);
    expect(await codeOf(onDisk('large', { url: server.url('/data/b') }))).toBe('input-fetch-failed');
    expect((await stage()).taken).toEqual({ files: 1, bytes: 3 * MIB });
  });
});

describe('an input of S3', () => {
  let s3: S3Server;
  beforeAll(async () => {
    s3 = await S3Server.start();
    s3.makeBucket('lab');
  }, S3_START_MS);
  afterAll(() => s3.stop());

  async function put(key: string, body: Buffer): Promise<void> {
    const { accessKeyId, secretAccessKey } = s3;
    const client = new AwsClient({ accessKeyId, secretAccessKey, service: 's3', region: 'us-east-1' });
    const answer = await client.fetch(`${s3.origin}/lab/${key}`, { method: 'PUT', body: new Uint8Array(body) });
    if (!answer.ok) throw new Error(`HTTP status ${answer.status}`);
  }

  const rules = (changes: Partial<StagingRules> = {}): Partial<StagingRules> => ({
    inputPrefixes: ['s3://lab/'],
    credentials: [s3.credential('s3://lab/')],
    s3Endpoints: [s3.endpoint('s3://lab/')],
    ...changes,
  });

  it('is taken as long as it is the same, by those who may read it', async () => {
    await put('a', OLD);
    const input = { url: 's3://lab/a' };
    expect((await stage({ input, rules: rules() })).taken).toEqual(none);
    expect((await stage({ input, rules: rules() })).taken).toEqual(all);
    const named = { ...input, sha256: sha256(OLD) };
    expect((await stage({ input: named, rules: rules() })).taken).toEqual(all);
    expect(await codeOf(stage({ input: named, rules: rules({ credentials: [] }) }))).toBe('input-refused');
    expect((await stage({ tenant: 'other', input, rules: rules() })).taken).toEqual(none);
    await put('a', NEW);
    expect(await stage({ input, rules: rules() })).toMatchObject({ stored: whole(NEW), taken: none });
  });

  it('may be a directory, of which each object is taken that is the same', async () => {
    for (const key of ['d/1', 'd/2', 'd/sub/3']) await put(key, Buffer.from(`content of ${key}`));
    const input = { url: 's3://lab/d', type: 'DIRECTORY' } as const;
    const first = await stage({ input, rules: rules() });
    expect(first.taken).toEqual(none);
    await put('d/2', Buffer.from('another 2'));
    const second = await stage({ input, rules: rules() });
    expect(second.taken.files).toBe(2);
    expect(readFileSync(join(second.path, '2'), 'utf8')).toBe('another 2');
    expect(readFileSync(join(second.path, 'sub/3'), 'utf8')).toBe('content of d/sub/3');
  });

  it('is fetched whole where one of the objects of a directory is damaged', async () => {
    for (const key of ['e/1', 'e/2']) await put(key, Buffer.from(`content of ${key}`));
    const input = { url: 's3://lab/e', type: 'DIRECTORY' } as const;
    await stage({ input, rules: rules() });
    const [tenant = ''] = readdirSync(tree.path('cache'));
    writeFileSync(tree.path(`cache/${tenant}/${sha256('content of e/2')}`), 'CONTENT of e/2');
    const { path, taken } = await stage({ input, rules: rules() });
    expect([taken, readFileSync(join(path, '2'), 'utf8')]).toEqual([none, 'content of e/2']);
  });
});
