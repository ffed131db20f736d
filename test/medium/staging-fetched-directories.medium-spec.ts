/** Inputs that are directories: by the listing of a real S3 server, and by archives of every kind. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Header } from 'tar';
import { stageInput, type StagingRules } from '#lib/staging';
import { S3_START_MS, S3Server } from '../../scripts/services/s3-server.js';
import { codeOf, jobErrorOf, rulesWith, sha256, Tree } from '../support/staging.js';

const never = new AbortController().signal;
let server: S3Server;
let tree: Tree;

beforeAll(async () => void (server = await S3Server.start()), S3_START_MS);
afterAll(() => server.stop());
beforeEach(() => {
  tree = new Tree();
  tree.directory('staged');
  server.makeBucket('lab');
});
afterEach(() => {
  expect(tree.openDescriptors()).toEqual([]);
  tree.remove();
});

function stage(url: string, changes: Partial<StagingRules> = {}) {
  const rules = rulesWith({
    inputPrefixes: ['s3://lab/', `${tree.url('archives')}/`],
    credentials: [server.credential('s3://lab/')],
    s3Endpoints: [server.endpoint('s3://lab/')],
    ...changes,
  });
  return stageInput({ url, path: '/in/run', type: 'DIRECTORY' }, join(tree.root, 'staged/run'), rules, never);
}

async function refusal(url: string, changes?: Partial<StagingRules>) {
  const { code, message } = await jobErrorOf(stage(url, changes));
  expect(tree.list('staged')).toEqual([]);
  return { code, message };
}

/** What staging says of a directory with these files. */
function directoryOf(files: readonly { readonly name: string; readonly content: string }[]) {
  const digests = files.map(({ name, content }) => [name, sha256(content)] as const);
  return {
    sha256: sha256(JSON.stringify(digests.toSorted(([a], [b]) => (a < b ? -1 : 1)))),
    bytes: files.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0),
  };
}

describe('a directory of S3', () => {
  it('has all objects below it, over several pages, and no other', async () => {
    const names = Array.from({ length: 1203 }, (_, index) => `many/${index % 7}/ä ${index}+.txt`);
    for (const name of names) server.write('lab', name, name);
    server.write('lab', 'many-others/a', 'other');
    const files = names.map((name) => ({ name: name.slice('many/'.length), content: name }));
    expect(await stage('s3://lab/many/')).toEqual(directoryOf(files));
    expect(readFileSync(tree.path('staged/run/3/ä 3+.txt'), 'utf8')).toBe('many/3/ä 3+.txt');
    expect([statSync(tree.path('staged/run/3')).mode & 0o777, statSync(tree.path('staged/run')).mode & 0o777]).toEqual([
      0o555, 0o555,
    ]);
  });

  it('is refused where there is none, over the limit, by a wrong key, and where it is another tenant’s', async () => {
    server.write('lab', 'run/a', 'x'.repeat(600));
    server.write('lab', 'run/b/secret', 'x'.repeat(600));
    expect((await refusal('s3://lab/nothing/')).code).toBe('input-not-found');
    expect((await refusal('s3://lab/run', { inputLimitBytes: 1000 })).code).toBe('input-too-large');
    expect((await refusal('s3://lab/run', { credentials: [] })).code).toBe('input-refused');
    expect((await refusal('s3://lab/run', { foreignPrefixes: ['s3://lab/run/b'] })).code).toBe('input-not-allowed');
    expect((await refusal('https://host.example.org/run')).message).toContain('a directory comes of');
  });
});

describe('an archive', () => {
  it.each([
    ['a.tar', (tar: Buffer) => tar],
    ['a.tar.gz', gzipSync],
    ['a.tgz', gzipSync],
  ])('%s is the directory that was packed', async (name, packed) => {
    tree.write('packed/a', 'one');
    tree.write(`packed/deep/${'long'.repeat(40)}/b`, Buffer.alloc(700_000, 'b'));
    tree.directory('packed/empty');
    tree.write(`archives/${name}`, packed(execFileSync('tar', ['-C', tree.path('packed'), '-c', '.'])));
    const staged = await stage(tree.url(`archives/${name}`));
    expect(staged).toEqual(
      directoryOf([
        { name: 'a', content: 'one' },
        { name: `deep/${'long'.repeat(40)}/b`, content: 'b'.repeat(700_000) },
      ]),
    );
    expect(tree.list('staged/run')).toEqual([
      'a',
      'deep',
      `deep/${'long'.repeat(40)}`,
      `deep/${'long'.repeat(40)}/b`,
      'empty',
    ]);
    server.write('lab', name, readFileSync(tree.path(`archives/${name}`)));
    tree.directory('again');
    const rules = rulesWith({
      inputPrefixes: ['s3://lab/'],
      credentials: [server.credential('s3://lab/')],
      s3Endpoints: [server.endpoint('s3://lab/')],
    });
    const again = { url: `s3://lab/${name}`, path: '/in/run', type: 'DIRECTORY' } as const;
    expect(await stageInput(again, join(tree.root, 'again/run'), rules, never)).toEqual(staged);
  });

  /** An archive of one entry that no honest program writes. */
  function forged(
    path: string,
    type: 'File' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'FIFO',
    content = '',
  ): Buffer {
    const header = new Header({
      path,
      type,
      size: content.length,
      mode: 0o644,
      mtime: new Date(0),
      ...(type.endsWith('Link') && { linkpath: '/etc/passwd' }),
    });
    const block = Buffer.alloc(512);
    header.encode(block, 0);
    const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    body.write(content);
    return Buffer.concat([block, body]);
  }
  const end = Buffer.alloc(1024);

  it.each<[string, () => Buffer, string]>([
    ['leads above', () => forged('../a', 'File', 'x'), 'has no name of a file'],
    ['leads above later', () => forged('a/../../b', 'File', 'x'), 'has no name of a file'],
    ['is absolute', () => forged('/etc/a', 'File', 'x'), 'has no name of a file'],
    ['is a link', () => forged('a', 'SymbolicLink'), 'is a SymbolicLink'],
    ['is another name', () => forged('a', 'Link'), 'is a Link'],
    ['is a device', () => forged('a', 'CharacterDevice'), 'is a CharacterDevice'],
    ['is a pipe', () => forged('a', 'FIFO'), 'is a FIFO'],
    ['is there twice', () => Buffer.concat([forged('a', 'File', 'x'), forged('a', 'File', 'y')]), '"a" is in it twice'],
    [
      'is below a file',
      () => Buffer.concat([forged('a', 'File', 'x'), forged('a/b', 'File', 'y')]),
      '"a" is in it twice',
    ],
  ])('is refused where an entry %s', async (_case, entries, text) => {
    tree.write('archives/a.tar', Buffer.concat([forged('good', 'File', 'good'), entries(), end]));
    const refused = await refusal(tree.url('archives/a.tar'));
    expect([refused.code, refused.message]).toEqual(['input-refused', expect.stringContaining(text)]);
  });

  it('ends where it says so: what is behind is read and kept nowhere, and is bounded', async () => {
    const archive = Buffer.concat([forged('a', 'File', 'one'), end]);
    tree.write('archives/a.tgz', gzipSync(Buffer.concat([archive, Buffer.alloc(20 * 1024 ** 2)])));
    expect(await stage(tree.url('archives/a.tgz'))).toEqual(directoryOf([{ name: 'a', content: 'one' }]));
    rmSync(tree.path('staged/run'), { recursive: true });
    tree.write('archives/b.tgz', gzipSync(Buffer.concat([archive, Buffer.alloc(257 * 1024 ** 2)])));
    expect((await refusal(tree.url('archives/b.tgz'), { inputLimitBytes: 1000 })).code).toBe('input-too-large');
  });

  it('is unpacked once, and by gzip alone', async () => {
    const archive = Buffer.concat([forged('a', 'File', 'one'), end]);
    tree.write('archives/twice.tgz', gzipSync(gzipSync(archive)));
    tree.write('archives/zstd.tar', Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), archive]));
    for (const name of ['twice.tgz', 'zstd.tar']) {
      expect(await codeOf(stage(tree.url(`archives/${name}`)))).toBe('input-fetch-failed');
    }
  });

  it('is refused where it is none, is cut, or has more bytes than it may', async () => {
    tree.write('archives/a.tar.gz', 'no archive at all'.repeat(100));
    expect(await codeOf(stage(tree.url('archives/a.tar.gz')))).toBe('input-fetch-failed');
    tree.write('archives/b.tar', forged('a', 'File', 'x'.repeat(2000)).subarray(0, 1000));
    expect(await codeOf(stage(tree.url('archives/b.tar')))).toBe('input-fetch-failed');
    const bomb = gzipSync(Buffer.concat([forged('a', 'File', '0'.repeat(1_000_000)), end]));
    tree.write('archives/c.tgz', bomb);
    expect(bomb.length).toBeLessThan(10_000);
    expect((await refusal(tree.url('archives/c.tgz'), { inputLimitBytes: 100_000 })).code).toBe('input-too-large');
  });
});
