/** Outputs to files: what the payload may leave behind, where it may end up, and that it appears whole or not at all. */
import { execFileSync } from 'node:child_process';
import { linkSync, lstatSync, readFileSync, renameSync, symlinkSync, truncateSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StagingRules } from '#lib/staging';
import { openOutput } from '../../libs/staging/src/outputs/open-output.js';
import { codeOf, jobErrorOf, publishOutput, rulesWith, sha256, Tree } from '../support/staging.js';

const UNLIMITED = { bytes: 2 ** 40, jobBytes: 2 ** 40 };
let tree: Tree;

beforeEach(() => {
  tree = new Tree();
  tree.directory('out');
  tree.directory('published');
  tree.write('secret/key', 'the secret');
});

afterEach(() => {
  expect(tree.openDescriptors()).toEqual([]);
  tree.remove();
});

interface Options {
  readonly name?: string;
  readonly url?: string;
  readonly rules?: StagingRules;
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
  readonly beforeCommit?: () => Promise<void>;
}

function publish({ name = 'a', url = tree.url('published/a'), ...changes }: Options = {}) {
  return publishOutput(
    { url, path: `/out/${name}` },
    { directory: tree.path('out'), name },
    {
      rules: rulesWith({ outputPrefixes: [tree.url('published')] }),
      limitBytes: 2 ** 40,
      signal: new AbortController().signal,
      beforeCommit: () => Promise.resolve(),
      ...changes,
    },
  );
}

/** The refusal, after which nothing may have been published. */
async function refusal(options: Options = {}): Promise<string> {
  const error = await jobErrorOf(publish(options));
  expect(tree.list('published')).toEqual([]);
  return `${error.code}: ${error.message}`;
}

describe('an output of the payload', () => {
  it('is published with its digest', async () => {
    const content = Buffer.alloc(3_000_001, 'EDF+ ');
    tree.write('out/run 1/ä.edf', content);
    await expect(publish({ name: 'run 1/ä.edf' })).resolves.toEqual({ sha256: sha256(content), bytes: content.length });
    expect(tree.list('published')).toEqual(['a']);
    expect(readFileSync(tree.path('published/a')).equals(content)).toBe(true);
  });

  it('may be empty, and may be a hard link', async () => {
    linkSync(tree.write('out/first', ''), tree.path('out/a'));
    await expect(publish()).resolves.toEqual({ sha256: sha256(''), bytes: 0 });
  });

  it('is missing when there is none, or a file is where its directory should be', async () => {
    tree.write('out/file', '');
    for (const name of ['a', 'none/a', 'file/a', 'x'.repeat(300)]) {
      expect(await refusal({ name })).toBe(
        `output-missing: The payload ended without writing the output /out/${name}.`,
      );
    }
  });

  it.each([
    ['the secret', () => tree.path('secret/key')],
    ['a file beside it', () => 'b'],
    ['nothing', () => 'nothing'],
    ['itself', () => 'a'],
  ])('is refused when it is a link to %s', async (_what, target) => {
    tree.write('out/b', 'b');
    symlinkSync(target(), tree.path('out/a'));
    expect(await refusal()).toBe(
      'output-is-link: The output /out/a is a symbolic link, which is never followed. Write the file itself.',
    );
  });

  it.each(['/etc', '../secret', '..', 'sub/../../secret'])(
    'is refused as outside when its directory is a link to %s',
    async (target) => {
      symlinkSync(target, tree.path('out/link'));
      const outside = 'output-outside: The output /out/link/key leads outside the output directory.';
      expect(await refusal({ name: 'link/key' })).toBe(outside);
    },
  );

  it.each(['sub', '.', 'sub/..', 'nothing'])(
    'is refused as a link when its directory is one to %s, inside',
    async (target) => {
      tree.write('out/sub/a', 'a');
      symlinkSync(target, tree.path('out/link'));
      expect(await refusal({ name: 'link/a' })).toContain('output-is-link: The output /out/link is a symbolic link');
    },
  );

  it.each(['../secret/key', 'sub/../../secret/key', '.', '..', '', '/etc/passwd', 'a//b', 'a/', './a', 'a\0b'])(
    'is refused as outside by the name %j',
    async (name) => {
      tree.write('out/a', '');
      expect(await refusal({ name })).toMatch(/^output-outside: /);
    },
  );

  it('is refused when it is a directory, a FIFO that nobody writes to, a socket or a device', async () => {
    tree.directory('out/directory');
    execFileSync('mkfifo', [tree.path('out/fifo')]);
    const server = createServer().listen(tree.path('out/socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    for (const [name, type] of [
      ['directory', 'directory'],
      ['fifo', 'FIFO'],
      ['socket', 'socket'],
    ]) {
      expect(await refusal({ name: name ?? '' })).toBe(
        `output-not-regular: The output /out/${name} is a ${type}. Only regular files are published.`,
      );
    }
    await new Promise((resolve) => server.close(resolve));
    const device = await jobErrorOf(openOutput({ directory: '/dev', name: 'zero' }, '/out/zero', UNLIMITED));
    expect([device.code, device.message]).toEqual([
      'output-not-regular',
      'The output /out/zero is a character device. Only regular files are published.',
    ]);
  });

  it('is never what its name is turned to after it was opened', async () => {
    tree.write('out/sub/a', 'good');
    const opened = await openOutput({ directory: tree.path('out'), name: 'sub/a' }, '/out/sub/a', UNLIMITED);
    unlinkSync(tree.path('out/sub/a'));
    renameSync(tree.path('out/sub'), tree.path('out/gone'));
    symlinkSync(tree.path('secret'), tree.path('out/sub'));
    expect((await opened.file.readFile()).toString()).toBe('good');
    await opened.file.close();
  });

  it('is refused over the limit, and taken at it', async () => {
    tree.write('out/a', '12345');
    expect(await refusal({ limitBytes: 4 })).toMatch(/^output-too-large: /);
    await expect(publish({ limitBytes: 5 })).resolves.toMatchObject({ bytes: 5 });
  });
});

describe('the target of an output', () => {
  beforeEach(() => void tree.write('out/a', 'content'));

  it('gets its directories', async () => {
    await publish({ url: tree.url('published/x/y z/a') });
    expect(readFileSync(tree.path('published/x/y z/a'), 'utf8')).toBe('content');
    expect(tree.list('published')).toEqual(['x', 'x/y z', 'x/y z/a']);
  });

  it('may be reached by links inside the allowed directories', async () => {
    tree.directory('published/real');
    symlinkSync('real', tree.path('published/link'));
    await publish({ url: tree.url('published/link/sub/a') });
    expect(tree.list('published/real')).toEqual(['sub', 'sub/a']);
  });

  it('is replaced: the file that was there, or the link itself and not what it points to', async () => {
    tree.write('published/a', 'earlier');
    await publish();
    expect(readFileSync(tree.path('published/a'), 'utf8')).toBe('content');
    symlinkSync(tree.path('secret/key'), tree.path('published/link'));
    await publish({ url: tree.url('published/link') });
    expect(lstatSync(tree.path('published/link')).isFile()).toBe(true);
    expect(readFileSync(tree.path('published/link'), 'utf8')).toBe('content');
    expect(readFileSync(tree.path('secret/key'), 'utf8')).toBe('the secret');
  });

  it.each([
    ['published-evil/a', 'output-not-allowed'],
    ['published/../secret/a', 'output-url-malformed'],
    ['published/%2e%2e/secret/a', 'output-url-malformed'],
    ['published/..%2fsecret/a', 'output-url-malformed'],
    ['published/a%00', 'output-url-malformed'],
    ['published', 'output-not-allowed'],
    ['published/', 'output-url-malformed'],
    ['published/a/', 'output-url-malformed'],
    [`published/${'x'.repeat(300)}`, 'output-url-malformed'],
  ])('%s is refused', async (path, code) => {
    tree.directory('published-evil');
    expect(await codeOf(publish({ url: `file://${tree.root}/${path}` }))).toBe(code);
    expect(tree.list('published')).toEqual([]);
    expect(tree.list('published-evil')).toEqual([]);
    expect(tree.list('secret')).toEqual(['key']);
  });

  it('is not allowed by an empty list, or another scheme', async () => {
    expect(await refusal({ rules: rulesWith({ inputPrefixes: [tree.url('published')] }) })).toMatch(
      /^output-not-allowed: .*Allowed prefixes: none$/,
    );
    expect(await refusal({ url: 'ftp://h.example.org/a' })).toMatch(/^output-url-malformed: /);
  });

  it('may not lie behind a link out of the allowed directories, where nothing is made either', async () => {
    symlinkSync('../secret', tree.path('published/link'));
    for (const url of [tree.url('published/link/a'), tree.url('published/link/new/a')]) {
      expect(await codeOf(publish({ url }))).toBe('output-not-allowed');
    }
    expect(tree.list('secret')).toEqual(['key']);
  });

  it('is refused when something else is in its place', async () => {
    tree.write('published/file', '');
    tree.directory('published/directory');
    symlinkSync('nowhere', tree.path('published/dangling'));
    for (const name of ['file/a', 'file/sub/a', 'directory', 'dangling/a']) {
      expect(await codeOf(publish({ url: tree.url(`published/${name}`) }))).toBe('output-refused');
    }
    expect(tree.list('published')).toEqual(['dangling', 'directory', 'file']);
  });

  it("is the node's fault, and tried again, when the allowed directory itself is gone", async () => {
    const rules = rulesWith({ outputPrefixes: [tree.url('unmounted')] });
    const error = await jobErrorOf(publish({ url: tree.url('unmounted/a'), rules }));
    expect([error.code, error.entry.retryable]).toEqual(['output-upload-failed', true]);
  });

  it('appears after beforeCommit, whole', async () => {
    let before: string[] = [];
    await publish({
      beforeCommit: () => {
        before = tree.list('published');
        expect(readFileSync(tree.path(`published/${before[0]}`), 'utf8')).toBe('content');
        return Promise.resolve();
      },
    });
    expect(before).toEqual([expect.stringMatching(/^\.porin-[0-9a-f-]{36}-0\.part$/)]);
    expect(tree.list('published')).toEqual(['a']);
  });

  it('stays as it was when beforeCommit throws, which is passed on as it is', async () => {
    tree.write('published/a', 'earlier');
    const lost = new Error('the fence is lost');
    await expect(publish({ beforeCommit: () => Promise.reject(lost) })).rejects.toBe(lost);
    expect(tree.list('published')).toEqual(['a']);
    expect(readFileSync(tree.path('published/a'), 'utf8')).toBe('earlier');
  });

  it('stays as it was when the signal is aborted before, while it is copied, or last of all', async () => {
    await expect(publish({ signal: AbortSignal.abort('canceled') })).rejects.toBe('canceled');
    const late = new AbortController();
    const aborting = () => Promise.resolve(late.abort('late'));
    await expect(publish({ signal: late.signal, beforeCommit: aborting })).rejects.toBe('late');
    truncateSync(tree.path('out/a'), 2 ** 33);
    const controller = new AbortController();
    const outcome = expect(publish({ signal: controller.signal })).rejects.toBe('wall-time');
    while (tree.list('published').length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort('wall-time');
    await outcome;
    expect(tree.list('published')).toEqual([]);
  });
});
