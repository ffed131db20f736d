import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DamagedFile } from './cached-file.js';
import { CachedInputs } from './cached-inputs.js';
import { InputCache, type InputCacheOptions } from './input-cache.js';

/** As much as a file counts at least. */
const LEAST = 64 * 1024;
const never = new AbortController().signal;

let root: string;
let directory: string;
let problems: unknown[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'porin-cache-'));
  directory = join(root, 'cache');
  problems = [];
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function writeHere(name: string, content: string): string {
  writeFileSync(join(root, name), content);
  return join(root, name);
}
const digestOf = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
const urlOf = (name: string) => new URL(`https://archive.example.org/${name}`);

function open(options: Partial<InputCacheOptions> = {}): Promise<InputCache> {
  const onProblem = (error: unknown) => problems.push(error);
  return InputCache.open({
    ...{ directory, maximumBytes: 10 * LEAST, reservedBytes: () => Promise.resolve(0), onProblem },
    ...options,
  });
}

/** A job's input, fetched openly from a URL of the same name, whose version is its content's digest. */
async function keep(cache: InputCache, tenant: string, name: string, content: string | Buffer = name, isOpen = true) {
  const file = join(root, `job-${tenant.replaceAll('/', '')}-${name}`);
  writeFileSync(file, content, { mode: 0o444 });
  const sha256 = digestOf(content);
  const stored = { sha256, bytes: Buffer.byteLength(content) };
  await CachedInputs.of(cache, tenant).keep(file, stored, { url: urlOf(name), etag: `"${sha256}"`, isOpen });
  rmSync(file);
}

async function has(cache: InputCache, tenant: string, name: string): Promise<boolean> {
  return (await CachedInputs.of(cache, tenant).at(urlOf(name))) !== undefined;
}

/** As an input is made of it. */
async function read(cache: InputCache, tenant: string, name: string): Promise<string> {
  const known = await CachedInputs.of(cache, tenant).at(urlOf(name));
  if (!known) throw new Error('it is not there');
  const source = await known.open(never);
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source.chunks) chunks.push(chunk);
    source.cached?.taken();
    return Buffer.concat(chunks).toString();
  } finally {
    await source.close();
  }
}

const files = (): string[] =>
  readdirSync(directory).flatMap((tenant) => readdirSync(join(directory, tenant)).map((name) => join(tenant, name)));
const pathOf = (tenant: string, content: string) => join(directory, digestOf(tenant), digestOf(content));

describe('the cache of inputs', () => {
  it('has what a tenant brought, for that tenant alone, whatever the tenant is called', async () => {
    const cache = await open();
    for (const tenant of ['lab', '../../etc', 'a/b', '.']) {
      await keep(cache, tenant, 'a', `of ${tenant}`);
      expect(await read(cache, tenant, 'a')).toBe(`of ${tenant}`);
    }
    expect(await has(cache, 'other', 'a')).toBe(false);
    expect(await CachedInputs.of(cache, 'other').open(digestOf('of lab'), never)).toBeUndefined();
    expect(readdirSync(directory).sort()).toEqual(['lab', '../../etc', 'a/b', '.', 'other'].map(digestOf).sort());
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(problems).toEqual([]);
  });

  it('gives by a digest alone only what was open to all', async () => {
    const cache = await open();
    await keep(cache, 'lab', 'secret', 'secret', false);
    const own = CachedInputs.of(cache, 'lab');
    expect(await own.open(digestOf('secret'), never)).toBeUndefined();
    expect(await has(cache, 'lab', 'secret')).toBe(true);
    await keep(cache, 'lab', 'published', 'secret');
    const source = await own.open(digestOf('secret'), never);
    expect(source?.bytes).toBe(6);
    await source?.close();
  });

  it('keeps one file of equal bytes, for all URLs of it', async () => {
    const cache = await open();
    await keep(cache, 'lab', 'a', 'same');
    await keep(cache, 'lab', 'b', 'same');
    expect(cache.bytes).toBe(LEAST);
    expect([await read(cache, 'lab', 'a'), await read(cache, 'lab', 'b')]).toEqual(['same', 'same']);
  });

  it('keeps one file where several jobs bring the same at once', async () => {
    const cache = await open();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    await Promise.all(names.map((name) => keep(cache, 'lab', name, 'same')));
    for (const name of names) expect(await read(cache, 'lab', name)).toBe('same');
    expect([cache.bytes, files().length, problems]).toEqual([LEAST, 2, []]);
    const after = await open();
    expect(await Promise.all(names.map((name) => has(after, 'lab', name)))).toEqual(names.map(() => true));
  });

  it('forgets of a URL what was there before', async () => {
    const cache = await open();
    await keep(cache, 'lab', 'a', 'old');
    await keep(cache, 'lab', 'a', 'new');
    const old = await CachedInputs.of(cache, 'lab').open(digestOf('old'), never);
    old?.cached?.taken();
    await old?.close();
    expect(await read(cache, 'lab', 'a')).toBe('new');
  });

  it('gives up first what was used longest ago', async () => {
    const cache = await open({ maximumBytes: 3 * LEAST });
    for (const name of ['a', 'b', 'c']) await keep(cache, 'lab', name);
    await read(cache, 'lab', 'a');
    await keep(cache, 'lab', 'd');
    const found = await Promise.all(['a', 'b', 'c', 'd'].map((name) => has(cache, 'lab', name)));
    expect(found).toEqual([true, false, true, true]);
    expect(cache.bytes).toBe(3 * LEAST);
    expect(files()).toHaveLength(6);
  });

  it('lets no tenant put out what another has within an equal part', async () => {
    const cache = await open({ maximumBytes: 4 * LEAST });
    for (const name of ['a', 'b']) await keep(cache, 'small', name);
    for (let turn = 0; turn < 10; turn++) await keep(cache, 'greedy', `g${turn}`);
    expect([await has(cache, 'small', 'a'), await has(cache, 'small', 'b')]).toEqual([true, true]);
    expect([await has(cache, 'greedy', 'g8'), await has(cache, 'greedy', 'g9')]).toEqual([true, true]);
    expect(cache.bytes).toBe(4 * LEAST);
  });

  it('keeps nothing that would fill most of it', async () => {
    const cache = await open({ maximumBytes: 4 * LEAST });
    await keep(cache, 'lab', 'a');
    await keep(cache, 'lab', 'large', Buffer.alloc(2 * LEAST + 1));
    await keep(cache, 'lab', 'half', Buffer.alloc(2 * LEAST));
    expect([await has(cache, 'lab', 'a'), await has(cache, 'lab', 'large'), await has(cache, 'lab', 'half')]).toEqual([
      ...[true, false, true],
    ]);
  });

  it('remembers what it had, and what was used last, after a new start', async () => {
    const before = await open();
    for (const name of ['a', 'b', 'c']) await keep(before, 'lab', name);
    // The clock of the file system may be coarser than three writes.
    for (const [index, name] of ['b', 'c', 'a'].entries())
      utimesSync(`${pathOf('lab', name)}.json`, index + 1, index + 1);
    const after = await open({ maximumBytes: 2 * LEAST });
    const found = await Promise.all(['a', 'b', 'c'].map((name) => has(after, 'lab', name)));
    expect(found).toEqual([true, false, true]);
    expect(await read(after, 'lab', 'a')).toBe('a');
  });

  it('forgets at a new start what is half, of another size, or none of it', async () => {
    const before = await open();
    for (const name of ['whole', 'no-origin', 'no-file', 'short', 'garbled', 'empty']) await keep(before, 'lab', name);
    rmSync(`${pathOf('lab', 'no-origin')}.json`);
    rmSync(pathOf('lab', 'no-file'));
    rmSync(pathOf('lab', 'short'));
    writeFileSync(pathOf('lab', 'short'), 'shor');
    writeFileSync(`${pathOf('lab', 'garbled')}.json`, '{"bytes":7}');
    writeFileSync(`${pathOf('lab', 'empty')}.json`, '');
    writeFileSync(join(directory, digestOf('lab'), '.half'), 'half');
    mkdirSync(join(directory, digestOf('lab'), 'a directory'));
    mkdirSync(join(directory, 'no digest'));
    const after = await open();
    expect(files().sort()).toEqual(
      [digestOf('whole'), `${digestOf('whole')}.json`].map((n) => join(digestOf('lab'), n)),
    );
    expect(await read(after, 'lab', 'whole')).toBe('whole');
    expect(after.bytes).toBe(LEAST);
  });

  it('keeps nothing, and nothing of before, where it is off', async () => {
    await keep(await open(), 'lab', 'a');
    await open({ maximumBytes: 0 });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('fails no job where its directory is of no use', async () => {
    const cache = await open();
    writeFileSync(join(directory, digestOf('lab')), 'in the way');
    await keep(cache, 'lab', 'a');
    expect(await has(cache, 'lab', 'a')).toBe(false);
    expect(problems).not.toEqual([]);
  });
});

describe('a file of the cache', () => {
  async function lend(cache: InputCache, name: string, job: string): Promise<boolean> {
    const known = await CachedInputs.of(cache, 'lab').at(urlOf(name));
    const source = await known?.open(never);
    try {
      return (await source?.cached?.lendTo(join(root, job))) ?? false;
    } finally {
      await source?.close();
    }
  }

  it('is given to one job at a time, and to the next when that one has removed it', async () => {
    const cache = await open();
    await keep(cache, 'lab', 'a');
    expect(await lend(cache, 'a', 'job-1')).toBe(true);
    expect(await lend(cache, 'a', 'job-2')).toBe(false);
    expect(readdirSync(root).sort()).toEqual(['cache', 'job-1']);
    rmSync(join(root, 'job-1'));
    expect(await lend(cache, 'a', 'job-2')).toBe(true);
    const { mode, nlink } = statSync(join(root, 'job-2'));
    expect([mode & 0o7777, nlink]).toEqual([0o444, 2]);
  });

  it('is not put over what is there', async () => {
    const cache = await open();
    await keep(cache, 'lab', 'a');
    writeFileSync(join(root, 'job-1'), 'earlier');
    expect(await lend(cache, 'a', 'job-1')).toBe(false);
    expect(readFileSync(join(root, 'job-1'), 'utf8')).toBe('earlier');
  });

  it('stays with its job when the cache gives it up', async () => {
    const cache = await open({ maximumBytes: 2 * LEAST });
    for (const name of ['a', 'b']) await keep(cache, 'lab', name);
    await lend(cache, 'a', 'job-1');
    for (const name of ['c', 'd']) await keep(cache, 'lab', name);
    expect(await has(cache, 'lab', 'a')).toBe(false);
    expect(readFileSync(join(root, 'job-1'), 'utf8')).toBe('a');
  });

  it('is given up for the space of others, unless a job has it: then it would free none', async () => {
    let reserved = 0;
    const cache = await open({ reservedBytes: () => Promise.resolve(reserved) });
    for (const name of ['a', 'b', 'c']) await keep(cache, 'lab', name);
    await lend(cache, 'b', 'job-1');
    reserved = Number.MAX_SAFE_INTEGER;
    await cache.trim();
    const found = await Promise.all(['a', 'b', 'c'].map((name) => has(cache, 'lab', name)));
    expect(found).toEqual([false, true, false]);
    expect(problems).toEqual([]);
  });

  it('is forgotten where it has another size, is gone, a directory or a link', async () => {
    const cache = await open();
    const attacks: readonly [string, (path: string) => void][] = [
      ['longer', (path) => writeFileSync(path, 'longer than it was')],
      ['gone', (path) => rmSync(path)],
      ['directory', (path) => (rmSync(path), mkdirSync(path))],
      ['a link', (path) => (rmSync(path), symlinkSync(writeHere('elsewhere', 'a link'), path))],
    ];
    for (const [name, attack] of attacks) {
      await keep(cache, 'lab', name);
      attack(pathOf('lab', name));
      await expect(read(cache, 'lab', name)).rejects.toBeInstanceOf(DamagedFile);
      expect(await has(cache, 'lab', name)).toBe(false);
    }
  });
});
