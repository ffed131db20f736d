/** Inputs from real files and inline content: what is staged, and what every attack on the paths ends with. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, readFileSync, renameSync, statSync, symlinkSync, truncateSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type InputReference } from '#lib/jobs';
import { stageInput } from '#lib/staging';
import { openFileInput } from '../../libs/staging/src/file/file-input.js';
import { eventually } from '../support/eventually.js';
import { codeOf, jobErrorOf, rulesWith, sha256, Tree } from '../support/staging.js';

const never = new AbortController().signal;
let tree: Tree;

beforeEach(() => {
  tree = new Tree();
  tree.directory('allowed');
  tree.directory('staged');
  tree.write('secret/key', 'the secret');
});

afterEach(() => {
  expect(tree.openDescriptors()).toEqual([]);
  tree.remove();
});

function stage(input: Partial<InputReference>, limitBytes = 2 ** 40) {
  const rules = rulesWith({ inputPrefixes: [tree.url('allowed')], inputLimitBytes: limitBytes });
  return stageInput({ path: '/in/a', ...input }, tree.path('staged/a'), rules, never);
}

/** The code of the refusal, after which nothing may be left. */
async function refusal(input: Partial<InputReference>, limitBytes?: number): Promise<string> {
  const code = await codeOf(stage(input, limitBytes));
  expect(tree.list('staged')).toEqual([]);
  return code;
}

describe('an input from a file', () => {
  it('is stored read-only with its digest', async () => {
    const content = Buffer.alloc(3_000_001, 'EDF+ ');
    tree.write('allowed/sub dir/ä?.edf', content);
    const expected = { sha256: sha256(content), bytes: content.length };
    await expect(stage({ url: tree.url('allowed/sub dir/ä?.edf'), sha256: sha256(content) })).resolves.toEqual(
      expected,
    );
    expect(readFileSync(tree.path('staged/a')).equals(content)).toBe(true);
    expect(statSync(tree.path('staged/a')).mode & 0o7777).toBe(0o444);
  });

  it('may be empty, a hard link, or reached by links inside the allowed directories', async () => {
    linkSync(tree.write('allowed/empty', ''), tree.path('allowed/hard'));
    symlinkSync('../allowed', tree.path('allowed/round'));
    symlinkSync(tree.path('allowed/round/hard'), tree.path('allowed/soft'));
    await expect(stage({ url: tree.url('allowed/soft') })).resolves.toEqual({ sha256: sha256(''), bytes: 0 });
  });

  it('may lie below a root that is itself a link, or be named by a prefix alone', async () => {
    tree.write('disk/data/a', 'A');
    tree.write('disk/data/b', 'B');
    symlinkSync(tree.path('disk/data'), tree.path('mounted'));
    const fetch = (url: string, prefix: string, target: string) =>
      stageInput({ url, path: '/in/a' }, tree.path(target), rulesWith({ inputPrefixes: [prefix] }), never);
    await fetch(tree.url('mounted/a'), tree.url('mounted/'), 'staged/1');
    await fetch(tree.url('mounted/a'), tree.url('mounted/a'), 'staged/2');
    expect(await codeOf(fetch(tree.url('mounted/b'), tree.url('mounted/a'), 'staged/3'))).toBe('input-not-allowed');
    expect(tree.list('staged')).toEqual(['1', '2']);
  });

  it('is refused when nothing is allowed', async () => {
    const error = await jobErrorOf(
      stageInput({ url: tree.url('secret/key'), path: '/in/a' }, tree.path('staged/a'), rulesWith({}), never),
    );
    expect([error.code, error.message]).toEqual([
      'input-not-allowed',
      `Inputs may not come from ${tree.url('secret/key')}. Allowed prefixes: none`,
    ]);
  });

  it.each([
    ['a path above the root', 'allowed/../secret/key', 'input-url-malformed'],
    ['an encoded path above the root', 'allowed/%2e%2e/secret/key', 'input-url-malformed'],
    ['an encoded slash', 'allowed/..%2fsecret%2fkey', 'input-url-malformed'],
    ['a doubly encoded path above the root, which is decoded once', 'allowed/%252e%252e/secret/key', 'input-not-found'],
    ['a directory whose name begins like the root', 'allowed-evil/key', 'input-not-allowed'],
    ['a null byte', 'allowed/a%00', 'input-url-malformed'],
    ['a name that is not UTF-8', 'allowed/%ff', 'input-url-malformed'],
    ['a fragment', 'allowed/a#b', 'input-url-malformed'],
  ])('by %s is refused', async (_what, path, code) => {
    tree.write('allowed-evil/key', 'evil');
    expect(await refusal({ url: `file://${tree.root}/${path}` })).toBe(code);
  });

  it.each(['http', 'ftp', 'data', 'proc'])('is refused with the scheme %s', async (scheme) => {
    expect(await refusal({ url: tree.url('allowed/a').replace('file', scheme) })).toBe('input-url-malformed');
  });

  it.each([
    ['a link to a file', () => symlinkSync('../secret/key', tree.path('allowed/a'))],
    ['an absolute link', () => symlinkSync(tree.path('secret/key'), tree.path('allowed/a'))],
    [
      'a chain of links',
      () => (symlinkSync('b', tree.path('allowed/a')), symlinkSync('/etc/passwd', tree.path('allowed/b'))),
    ],
    [
      'a link into a directory whose name begins like the root',
      () => {
        symlinkSync(tree.write('allowed-evil/key', 'evil'), tree.path('allowed/a'));
      },
    ],
    ['a link to a device', () => symlinkSync('/dev/zero', tree.path('allowed/a'))],
  ])('is refused when it leaves the roots by %s', async (_what, attack) => {
    attack();
    expect(await refusal({ url: tree.url('allowed/a') })).toBe('input-outside-roots');
  });

  it('is refused when a directory on the way is a link out of the roots', async () => {
    symlinkSync('../secret', tree.path('allowed/sub'));
    expect(await refusal({ url: tree.url('allowed/sub/key') })).toBe('input-outside-roots');
  });

  it('is never what a link is turned to after it was opened', async () => {
    symlinkSync(tree.write('allowed/good', 'good'), tree.path('allowed/a'));
    const input = { url: tree.url('allowed/a'), path: '/in/a', hostPath: tree.path('allowed/a') };
    const source = await openFileInput({ ...input, roots: { allowed: [tree.path('allowed')], foreign: [] } }, never);
    symlinkSync(tree.path('secret/key'), tree.path('allowed/b'));
    renameSync(tree.path('allowed/b'), tree.path('allowed/a'));
    unlinkSync(tree.path('allowed/good'));
    const chunks: Uint8Array[] = [];
    for await (const chunk of source.chunks) chunks.push(chunk);
    await source.close();
    expect(Buffer.concat(chunks).toString()).toBe('good');
  });

  it('is never the secret, however fast a link changes between the two', async () => {
    tree.write('allowed/good', 'good');
    const swapper = new Worker(
      `const { renameSync, symlinkSync } = require('node:fs');
       const { root } = require('node:worker_threads').workerData;
       for (let turn = 0; ; turn++) {
         symlinkSync(turn % 2 ? 'good' : '../secret/key', root + '/allowed/next');
         renameSync(root + '/allowed/next', root + '/allowed/a');
       }`,
      { eval: true, workerData: { root: tree.root } },
    );
    const outcomes = new Set<string>();
    const input = { url: tree.url('allowed/a'), path: '/in/a', sha256: sha256('good') };
    for (let turn = 0; turn < 200 || !(outcomes.has('good') && outcomes.has('input-outside-roots')); turn++) {
      const rules = rulesWith({ inputPrefixes: [tree.url('allowed')] });
      const outcome = stageInput(input, tree.path(`staged/${turn}`), rules, never).then(() => 'good');
      outcomes.add(await outcome.catch(() => codeOf(outcome)));
    }
    await swapper.terminate();
    outcomes.delete('input-not-found');
    expect([...outcomes].sort()).toEqual(['good', 'input-outside-roots']);
  });

  it.each([
    ['a directory', () => tree.directory('allowed/a')],
    ['a FIFO that nobody writes to', () => execFileSync('mkfifo', [tree.path('allowed/a')])],
  ])('is refused when it is %s', async (_what, make) => {
    make();
    expect(await refusal({ url: tree.url('allowed/a') })).toBe('input-not-regular');
  });

  it('is refused when it is a socket or a device', async () => {
    const server = createServer().listen(tree.path('allowed/a'));
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await refusal({ url: tree.url('allowed/a') })).toBe('input-not-regular');
    await new Promise((resolve) => server.close(resolve));
    const rules = rulesWith({ inputPrefixes: ['file:///dev/'] });
    for (const url of ['file:///dev/zero', 'file:///dev/null']) {
      expect(await codeOf(stageInput({ url, path: '/in/a' }, tree.path('staged/a'), rules, never))).toBe(
        'input-not-regular',
      );
    }
  });

  it('is missing when there is none, when its directory is a file, and when its links go round', async () => {
    tree.write('allowed/file', '');
    symlinkSync('loop', tree.path('allowed/loop'));
    for (const name of ['none', 'file/a', 'loop', 'x'.repeat(255)]) {
      expect(await refusal({ url: tree.url('allowed/') + name })).toBe('input-not-found');
    }
  });

  it("is the node's fault, and tried again, when the allowed directory itself is gone", async () => {
    const rules = rulesWith({ inputPrefixes: [tree.url('unmounted')] });
    const input = { url: tree.url('unmounted/a'), path: '/in/a' };
    const error = await jobErrorOf(stageInput(input, tree.path('staged/a'), rules, never));
    expect([error.code, error.entry.retryable]).toEqual(['input-fetch-failed', true]);
  });

  it("is the node's fault, and tried again, when its file system does not answer, and leaves nothing when it does", async () => {
    // open(2) waits until whoever has a lease on the file gives it back (fcntl(2), F_SETLEASE).
    const path = tree.write('allowed/a', 'x');
    const holder = spawn('python3', [
      '-c',
      `import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
fcntl.fcntl(os.open(sys.argv[1], os.O_WRONLY), fcntl.F_SETLEASE, fcntl.F_WRLCK)
print(flush=True)
sys.stdin.read()`,
      path,
    ]);
    await once(holder.stdout, 'data');
    const rules = rulesWith({ inputPrefixes: [tree.url('allowed')], fileStallMs: 50 });
    const input = { url: tree.url('allowed/a'), path: '/in/a' };
    const error = await jobErrorOf(stageInput(input, tree.path('staged/a'), rules, never));
    expect([error.code, error.message]).toEqual([
      'input-fetch-failed',
      expect.stringContaining('its file system has not answered for 50 ms'),
    ]);
    holder.stdin.end();
    await once(holder, 'close');
    await eventually(() => Promise.resolve(expect(tree.openDescriptors()).toEqual([])));
    expect(tree.list('staged')).toEqual([]);
  });

  it('is refused over the limit, and taken at it', async () => {
    tree.write('allowed/a', '12345');
    expect(await refusal({ url: tree.url('allowed/a') }, 4)).toBe('input-too-large');
    await expect(stage({ url: tree.url('allowed/a') }, 5)).resolves.toMatchObject({ bytes: 5 });
  });

  it('is refused over the limit while it is read, when its size said nothing', async () => {
    const rules = rulesWith({ inputPrefixes: ['file:///proc/'], inputLimitBytes: 10 });
    expect(statSync('/proc/version').size).toBe(0);
    const input = { url: 'file:///proc/version', path: '/in/a' };
    expect(await codeOf(stageInput(input, tree.path('staged/a'), rules, never))).toBe('input-too-large');
    expect(tree.list('staged')).toEqual([]);
  });

  it('is refused when its digest is another one', async () => {
    tree.write('allowed/a', 'x');
    const error = await jobErrorOf(stage({ url: tree.url('allowed/a'), sha256: sha256('y') }));
    expect(error.code).toBe('input-checksum-mismatch');
    expect(error.message).toContain(sha256('x'));
    expect(tree.list('staged')).toEqual([]);
  });

  it('leaves a file alone that is at the target already', async () => {
    tree.write('allowed/a', 'x');
    tree.write('staged/a', 'earlier');
    expect(await codeOf(stage({ url: tree.url('allowed/a') }))).toBe('input-fetch-failed');
    expect(readFileSync(tree.path('staged/a'), 'utf8')).toBe('earlier');
  });

  it('ends with the reason of its signal, before and while it is copied', async () => {
    truncateSync(tree.write('allowed/a', ''), 2 ** 33);
    const rules = rulesWith({ inputPrefixes: [tree.url('allowed')] });
    const input = { url: tree.url('allowed/a'), path: '/in/a' };
    const stopped = stageInput(input, tree.path('staged/a'), rules, AbortSignal.abort('canceled'));
    await expect(stopped).rejects.toBe('canceled');
    const controller = new AbortController();
    const copying = stageInput(input, tree.path('staged/a'), rules, controller.signal);
    const outcome = expect(copying).rejects.toBe('wall-time');
    while (tree.list('staged').length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort('wall-time');
    await outcome;
    expect(tree.list('staged')).toEqual([]);
  });
});

describe('inline content', () => {
  it('is stored as UTF-8, whatever the prefixes', async () => {
    const content = 'label: Größe µV\n';
    await expect(stage({ content, sha256: sha256(content) })).resolves.toEqual({
      sha256: sha256(content),
      bytes: Buffer.byteLength(content),
    });
    expect(readFileSync(tree.path('staged/a'), 'utf8')).toBe(content);
    expect(statSync(tree.path('staged/a')).mode & 0o7777).toBe(0o444);
  });

  it('may be empty, and is held to the limit and the digest', async () => {
    expect(await refusal({ content: 'µµ' }, 3)).toBe('input-too-large');
    const error = await jobErrorOf(stage({ content: 'a', sha256: sha256('b') }));
    expect(error.message).toBe(`The input content for /in/a has the SHA-256 ${sha256('a')}, not ${sha256('b')}.`);
    await expect(stage({ content: '' })).resolves.toEqual({ sha256: sha256(''), bytes: 0 });
  });
});
