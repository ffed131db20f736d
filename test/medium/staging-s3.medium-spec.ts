/** Inputs and outputs of a real S3 server: versions, checksums, refusals, styles, and connections that break. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type LookupAddress } from 'node:dns';
import { readFileSync, statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseDataUrl, type S3Url } from '#lib/jobs';
import {
  type Credential,
  discardStaged,
  JobFiles,
  publishStaged,
  type StagedOutput,
  stageInput,
  stageOutput,
  type StagingRules,
  temporaryName,
} from '#lib/staging';
import { type ResolveName } from '../../libs/staging/src/http/http-client.js';
import { openS3Input } from '../../libs/staging/src/s3/s3-input.js';
import { type Cut, CuttingProxy } from '../support/cutting-proxy.js';
import { S3_START_MS, S3Server } from '../../scripts/services/s3-server.js';
import { codeOf, jobErrorOf, placeOf, publishOutput, rulesWith, sha256, Tree } from '../support/staging.js';

const MIB = 1024 ** 2;
const never = new AbortController().signal;
const CONTENT = randomBytes(3 * MIB + 17);

let server: S3Server;
/** Another one, with another key. */
let other: S3Server;
let tree: Tree;
let proxy: CuttingProxy | undefined;

beforeAll(async () => {
  server = await S3Server.start();
  other = await S3Server.start();
  server.makeBucket('lab');
  other.makeBucket('archive');
}, S3_START_MS);
afterAll(() => Promise.all([server.stop(), other.stop()]));

beforeEach(() => {
  tree = new Tree();
  tree.directory('staged');
});
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
  expect(tree.openDescriptors()).toEqual([]);
  tree.remove();
});

function rules(changes: Partial<StagingRules> = {}): StagingRules {
  return rulesWith({
    inputPrefixes: ['s3://lab/', 's3://archive/'],
    outputPrefixes: ['s3://lab/', 's3://archive/', 's3://missing/'],
    credentials: [server.credential('s3://lab/'), other.credential('s3://archive/')],
    s3Endpoints: [server.endpoint('s3://lab/'), server.endpoint('s3://missing/'), other.endpoint('s3://archive/')],
    ...changes,
  });
}

/** All that goes to the bucket `lab` goes through it. */
async function through(cut: Cut, changes: Partial<StagingRules> = {}): Promise<StagingRules> {
  proxy = await CuttingProxy.start(server.port, cut);
  return rules({ s3Endpoints: [server.endpoint('s3://lab/', proxy.port)], ...changes });
}

const stage = (url: string, changed: StagingRules = rules(), digest?: string) =>
  stageInput({ url, path: '/in/a', ...(digest && { sha256: digest }) }, tree.path('staged/a'), changed, never);

function publish(url: string, content: Buffer | string, changed: StagingRules = rules(), beforeCommit?: () => void) {
  tree.write('out/a', content);
  const source = { directory: tree.path('out'), name: 'a' };
  return publishOutput({ url, path: '/out/a' }, source, {
    rules: changed,
    sendDirectory: tree.path('send/bytes'),
    limitBytes: 2 ** 40,
    signal: never,
    beforeCommit: () => Promise.resolve(beforeCommit?.()),
  });
}

describe('an input of S3', () => {
  it.each(['a', 'run 1/ä+b.edf', "it's (one)!*~.txt", '100%'])('%j is stored with its digest', async (key) => {
    server.write('lab', key, CONTENT);
    const url = `s3://lab/${key.split('/').map(encodeURIComponent).join('/')}`;
    const stored = { sha256: sha256(CONTENT), bytes: CONTENT.length };
    await expect(stage(url, rules(), sha256(CONTENT))).resolves.toEqual(stored);
    expect(readFileSync(tree.path('staged/a')).equals(CONTENT)).toBe(true);
    expect(statSync(tree.path('staged/a')).mode & 0o7777).toBe(0o444);
  });

  it('may be empty', async () => {
    server.write('lab', 'empty', '');
    await expect(stage('s3://lab/empty')).resolves.toEqual({ sha256: sha256(''), bytes: 0 });
  });

  it('comes of the endpoint and by the key that its prefix has', async () => {
    server.write('lab', 'same', 'of the lab');
    other.write('archive', 'same', 'of the archive');
    await expect(stage('s3://archive/same')).resolves.toMatchObject({ sha256: sha256('of the archive') });
    await expect(
      stageInput({ url: 's3://lab/same', path: '/in/b' }, tree.path('staged/b'), rules(), never),
    ).resolves.toMatchObject({ sha256: sha256('of the lab') });
  });

  it('is asked for by the host of its bucket where the endpoint says so', async () => {
    server.write('lab', 'virtual', 'by name');
    const endpoint = { prefix: 's3://lab/', endpoint: `http://s3.test:${server.port}`, style: 'virtual' } as const;
    const { url } = parseDataUrl('s3://lab/virtual');
    const asked: string[] = [];
    const resolve = ((name: string, _options: object, callback: (error: null, found: LookupAddress[]) => void) => {
      asked.push(name);
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    }) as unknown as ResolveName;
    const input = { url: url as S3Url, text: 's3://lab/virtual', path: '/in/a' };
    const source = await openS3Input(input, rules({ s3Endpoints: [endpoint] }), never, resolve);
    const chunks: Uint8Array[] = [];
    for await (const chunk of source.chunks) chunks.push(chunk);
    await source.close();
    expect([Buffer.concat(chunks).toString(), asked]).toEqual(['by name', ['lab.s3.test']]);
  });

  const wrong = (): Credential => ({ ...server.credential('s3://lab/'), secretAccessKey: 'wrong' }) as Credential;
  it.each<[string, () => StagingRules, string, string]>([
    ['s3://lab/missing', () => rules(), 'input-not-found', 'does not exist'],
    ['s3://lab/a', () => rules({ credentials: [wrong()] }), 'input-refused', 'HTTP status 403 SignatureDoesNotMatch'],
    ['s3://lab/a', () => rules({ credentials: [] }), 'input-refused', 'the job has no S3 credential for this URL'],
    [
      's3://lab/a',
      () => rules({ credentials: [server.credential('s3://lab/b')] }),
      'input-refused',
      'no S3 credential',
    ],
    ['s3://lab/a', () => rules({ inputPrefixes: ['s3://lab/b'] }), 'input-not-allowed', 's3://lab/b'],
    ['s3://lab/a', () => rules({ foreignPrefixes: ['s3://lab'] }), 'input-not-allowed', ''],
    ['s3://lab/../archive/a', () => rules(), 'input-url-malformed', 'must not contain the parts'],
    ['s3://lab/a', () => rules({ inputLimitBytes: 1000 }), 'input-too-large', ''],
  ])('%s is refused', async (url, changed, code, text) => {
    server.write('lab', 'a', CONTENT);
    const error = await jobErrorOf(stage(url, changed()));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(text)]);
    expect(error.message).not.toContain(server.secretAccessKey);
    expect(tree.list('staged')).toEqual([]);
  });

  it('is refused where its digest is another one', async () => {
    server.write('lab', 'a', CONTENT);
    expect(await codeOf(stage('s3://lab/a', rules(), sha256('other')))).toBe('input-checksum-mismatch');
  });

  it('reaches no private address that no administrator has named', async () => {
    const s3Endpoints = [{ prefix: 's3://archive/', endpoint: server.origin }];
    // Of AWS, whose name leads to no address here, or to a public one that has no such bucket.
    expect(await codeOf(stage('s3://lab/a', rules({ s3Endpoints, credentials: [] })))).not.toBe(
      'input-address-refused',
    );
    expect(tree.list('staged')).toEqual([]);
  });

  it('is read on where its connection broke, as often as it brings something', async () => {
    await publish('s3://lab/large', CONTENT);
    const cut = (connection: number) => (connection <= 8 ? { received: 300_000 } : null);
    await expect(stage('s3://lab/large', await through(cut))).resolves.toEqual({
      sha256: sha256(CONTENT),
      bytes: CONTENT.length,
    });
    expect(proxy?.cuts).toBe(8);
  });

  it('is never put together of two versions', async () => {
    await publish('s3://lab/replaced', CONTENT);
    const next = randomBytes(CONTENT.length);
    let isReplaced: Promise<unknown> | undefined;
    const changed = await through((connection) => {
      if (connection === 2) isReplaced = publish('s3://lab/replaced', next);
      return connection < 4 ? { received: 500_000 } : null;
    });
    const outcome = await stage('s3://lab/replaced', changed).catch((error: unknown) => error);
    await isReplaced;
    const whole = [CONTENT, next].map((content) => ({ sha256: sha256(content), bytes: content.length }));
    if (outcome instanceof Error) expect(outcome.message).toContain('the object changed while it was fetched');
    else expect(whole).toContainEqual(outcome);
  });

  it('is given up where every connection breaks at once, to be tried again by another attempt', async () => {
    server.write('lab', 'a', CONTENT);
    const changed = await through(() => ({ received: 1 }));
    expect(await codeOf(stage('s3://lab/a', changed))).toBe('input-fetch-failed');
    expect(tree.list('staged')).toEqual([]);
  });
});

describe('an output to S3', () => {
  it.each<[string, string | Buffer]>([
    ['empty', ''],
    ['small', 'EDF+'],
    ["run 1/ä+b it's (one)!.edf", CONTENT],
    ['parts', randomBytes(19 * MIB + 3)],
  ])('%j is there, whole, once it is published, and not before', async (key, content) => {
    const url = `s3://lab/out/${key.split('/').map(encodeURIComponent).join('/')}`;
    const stored = { sha256: sha256(content), bytes: content.length };
    const before: unknown[] = [];
    const beforeCommit = () => void before.push(server.read('lab', `out/${key}`), server.uploads('lab').length);
    await expect(publish(url, content, rules(), beforeCommit)).resolves.toEqual(stored);
    expect(before).toEqual([undefined, 1]);
    expect(server.read('lab', `out/${key}`)?.equals(Buffer.from(content))).toBe(true);
    expect([server.uploads('lab'), tree.list('send')]).toEqual([[], ['bytes']]);
  });

  it('leaves what was there, and no upload, where it is discarded', async () => {
    await publish('s3://lab/kept', 'older');
    const lost = () => {
      throw new Error('the fence is lost');
    };
    await expect(publish('s3://lab/kept', 'newer', rules(), lost)).rejects.toThrow('the fence is lost');
    expect(server.read('lab', 'kept')?.toString()).toBe('older');
    expect([server.uploads('lab'), tree.list('send')]).toEqual([[], ['bytes']]);
  });

  it('sends a part again whose connection broke, and no other', async () => {
    const content = randomBytes(20 * MIB);
    // The server takes one request of a connection; the first one begins the upload.
    const changed = await through((connection) => (connection === 2 ? { sent: 5 * MIB } : null));
    await publish('s3://lab/broken', content, changed);
    // Begun, the first part twice, two more parts, listed, complete.
    expect([proxy?.cuts, proxy?.connections]).toEqual([1, 7]);
    expect(server.read('lab', 'broken')?.equals(content)).toBe(true);
    expect(server.uploads('lab')).toEqual([]);
  });

  it.each<[string, string | undefined, string, string]>([
    ['s3://missing/a', undefined, 'output-refused', 'NoSuchBucket'],
    ['s3://lab/a', 'wrong', 'output-refused', 'HTTP status 403 SignatureDoesNotMatch'],
    ['s3://lab-evil/a', undefined, 'output-not-allowed', ''],
    ['s3://lab/a/../b', undefined, 'output-url-malformed', ''],
    ['drs://lab/a', undefined, 'output-not-allowed', ''],
  ])('to %s is refused', async (url, secretAccessKey = server.secretAccessKey, code, text) => {
    const { accessKeyId } = server;
    const credentials = ['s3://lab/', 's3://missing/'].map((prefix): Credential => ({
      kind: 's3',
      prefix,
      accessKeyId,
      secretAccessKey,
    }));
    const error = await jobErrorOf(publish(url, 'content', rules({ credentials })));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(text)]);
    expect(error.message).not.toContain(server.secretAccessKey);
  });

  /** What a worker does, in its steps. */
  async function staged(url: string, content: Buffer | string): Promise<{ output: StagedOutput; send: string }> {
    const send = tree.path(`send-${randomUUID()}/bytes`);
    tree.write('out/a', content);
    const options = { signal: never, files: new JobFiles(), limit: { bytes: 2 ** 40, jobBytes: 2 ** 40 } };
    const place = placeOf({ rules: rules(), sendDirectory: send });
    const temporary = temporaryName(randomUUID(), 0);
    const source = { directory: tree.path('out'), name: 'a' };
    const output = await stageOutput({ url, path: '/out/a' }, source, { ...options, place, temporary });
    return { output, send };
  }
  const publishAt = (output: StagedOutput, sendDirectory: string, changed = rules()) =>
    publishStaged(output, placeOf({ rules: changed, sendDirectory }), { signal: never, files: new JobFiles() });

  it('is published by another node from the manifest alone', async () => {
    const { output, send } = await staged('s3://lab/elsewhere', CONTENT);
    const { stamp: _stamp, ...manifest } = output;
    await publishAt(manifest, tree.path('another/bytes'));
    expect(server.read('lab', 'elsewhere')?.equals(CONTENT)).toBe(true);
    // The node that staged it may come back.
    await discardStaged(output, output.temporary, placeOf({ rules: rules(), sendDirectory: send }));
    expect(server.read('lab', 'elsewhere')?.equals(CONTENT)).toBe(true);
  });

  it('is known as published where the answer was lost, and never put over what came after', async () => {
    const { output, send } = await staged('s3://lab/repeated', 'first');
    await publishAt(output, send);
    await publishAt(output, send);
    await publish('s3://lab/repeated', 'other');
    expect(await codeOf(publishAt(output, send))).toBe('staged-output-lost');
    expect(server.read('lab', 'repeated')?.toString()).toBe('other');
  });

  it('is completed though the connection breaks after the request', async () => {
    const { output, send } = await staged('s3://lab/unheard', CONTENT);
    // List, complete; the answer of the second is cut.
    const changed = await through((connection) => (connection === 2 ? { received: 1 } : null));
    await publishAt(output, send, changed);
    expect(proxy?.cuts).toBe(1);
    expect(server.read('lab', 'unheard')?.equals(CONTENT)).toBe(true);
  });

  it('is lost where somebody aborted its upload, or the manifest has other bytes', async () => {
    const { output, send } = await staged('s3://lab/lost', CONTENT);
    expect(await codeOf(publishAt({ ...output, bytes: 1 }, send))).toBe('staged-output-lost');
    await discardStaged(output, output.temporary, placeOf({ rules: rules(), sendDirectory: send }));
    expect(server.uploads('lab')).toEqual([]);
    expect(await codeOf(publishAt(output, send))).toBe('staged-output-lost');
    expect(server.read('lab', 'lost')).toBeUndefined();
  });

  it('is remembered while its upload cannot be aborted, and aborted when it can', async () => {
    const { output, send } = await staged('s3://lab/refused', CONTENT);
    const { temporary } = output;
    const discard = (changed: StagingRules) =>
      discardStaged(
        { url: output.url, path: output.path },
        temporary,
        placeOf({ rules: changed, sendDirectory: send }),
      );
    const wrong = { ...server.credential('s3://lab/'), secretAccessKey: 'wrong' } as Credential;
    for (const credentials of [[], [wrong]]) {
      expect(await codeOf(discard(rules({ credentials })))).toBe('output-upload-failed');
      expect(server.uploads('lab')).toHaveLength(1);
    }
    await discard(rules());
    expect(server.uploads('lab')).toEqual([]);
    await discard(rules({ credentials: [] }));
  });

  it('is aborted by another node by the id that the manifest has', async () => {
    const { output, send } = await staged('s3://lab/manifest', CONTENT);
    const { url, path, temporary, upload } = output;
    await discardStaged(
      { url, path, ...(upload !== undefined && { upload }) },
      temporary,
      placeOf({ rules: rules(), sendDirectory: tree.path('another/bytes') }),
    );
    expect(server.uploads('lab')).toEqual([]);
    await discardStaged({ url, path }, temporary, placeOf({ rules: rules(), sendDirectory: send }));
  });

  it('has all bytes where one connection in twenty breaks: a thousand uploads', async () => {
    // In the middle of a part, where it carries one; every other one before it has sent the headers of whatever request.
    const cut = (connection: number) => ({ sent: connection % 40 === 0 ? 300 : 40_000 });
    const changed = await through((connection) => (connection % 20 === 0 ? cut(connection) : null));
    const contents = Array.from({ length: 1000 }, (_, index) => randomBytes(100_000 + index));
    let next = 0;
    const send = tree.path('send/bytes');
    const work = async (lane: number) => {
      for (let index = next++; index < contents.length; index = next++) {
        tree.write(`many/${lane}`, contents[index] ?? '');
        const source = { directory: tree.path('many'), name: String(lane) };
        await publishOutput({ url: `s3://lab/many/${index}`, path: '/out/a' }, source, {
          rules: changed,
          sendDirectory: send,
          limitBytes: MIB,
          signal: never,
          beforeCommit: () => Promise.resolve(),
        });
      }
    };
    await Promise.all([0, 1, 2, 3].map(work));
    expect(proxy?.cuts).toBeGreaterThan(50);
    const digest = (content: Buffer | undefined) =>
      createHash('sha256')
        .update(content ?? '')
        .digest('hex');
    const wrong = contents.flatMap((content, index) =>
      digest(server.read('lab', `many/${index}`)) === digest(content) ? [] : [index],
    );
    expect(wrong).toEqual([]);
    expect(server.list('lab').filter((key) => key.startsWith('many/'))).toHaveLength(contents.length);
  }, 900_000);
});
