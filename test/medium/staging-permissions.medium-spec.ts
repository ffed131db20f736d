/** Owner, group and mode of published files, and what outputs may have together. */
import {
  chmodSync,
  chownSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
} from 'node:fs';
import { dirname } from 'node:path';
import {
  discardStaged,
  findPublished,
  JobFiles,
  type OutputPermissions,
  publishStaged,
  stageOutput,
  temporaryName,
} from '#lib/staging';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobErrorOf, placeOf, publishOutput, rulesWith, Tree } from '../support/staging.js';

let tree: Tree;
const never = new AbortController().signal;
const fresh = () => ({ signal: never, files: new JobFiles() });
const SETTINGS: OutputPermissions = { uid: null, gid: null, mode: 0o644 };

beforeEach(() => {
  tree = new Tree();
  tree.write('out/a', 'content');
  tree.directory('published');
});
afterEach(() => tree.remove());

const rules = () => rulesWith({ outputPrefixes: [tree.url('published')] });
const source = () => ({ directory: tree.path('out'), name: 'a' });

/** `uid:gid mode` of the target. */
function look(name: string): string {
  const { uid, gid, mode } = statSync(tree.path(name));
  return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
}

function publish(name: string, permissions = SETTINGS, beforeCommit = () => Promise.resolve()): Promise<unknown> {
  const options = { rules: rules(), permissions, limitBytes: 2 ** 30, signal: never, beforeCommit };
  return publishOutput({ url: tree.url(`published/${name}`), path: '/out/a' }, source(), options);
}

describe('a published file', () => {
  it.each([0o600, 0o640, 0o400, 0o666, 0o755, 0o000])(
    'keeps owner, group and mode %o of the one it replaces',
    async (mode) => {
      const target = tree.write('published/a', 'earlier');
      chownSync(target, 1000, 1001);
      chmodSync(target, mode);
      chmodSync(tree.path('out/a'), 0o777);
      await publish('a', { uid: 7, gid: 7, mode: 0o666 });
      expect(look('published/a')).toBe(`1000:1001 ${mode.toString(8)}`);
    },
  );

  it('keeps no set-user-id, set-group-id or sticky bit, neither the target’s nor the payload’s', async () => {
    chmodSync(tree.write('published/a', ''), 0o7755);
    chmodSync(tree.path('out/a'), 0o7755);
    await publish('a');
    await publish('new');
    expect([look('published/a'), look('published/new')]).toEqual(['0:0 755', '0:0 755']);
  });

  it.each([
    [0o644, 0o755, '755'],
    [0o644, 0o700, '744'],
    [0o640, 0o755, '750'],
    [0o600, 0o777, '700'],
    [0o644, 0o600, '644'],
    [0o644, 0o666, '644'],
  ])(
    'has the node’s mode %o and the payload’s execute bits of %o where it replaces none',
    async (mode, payload, expected) => {
      chmodSync(tree.path('out/a'), payload);
      await publish('x/a', { uid: 1000, gid: 1001, mode });
      expect(look('published/x/a')).toBe(`1000:1001 ${expected}`);
      expect(look('published/x').split(' ')[0]).toBe('1000:1001');
    },
  );

  it('takes nothing from a link that it replaces', async () => {
    chmodSync(tree.write('secret', ''), 0o777);
    symlinkSync('../secret', tree.path('published/a'));
    await publish('a', { uid: null, gid: null, mode: 0o600 });
    expect(look('published/a')).toBe('0:0 600');
  });

  it('is at no time wider than the file that it replaces, nor than one that comes or is narrowed meanwhile', async () => {
    const target = tree.write('published/a', 'earlier');
    chownSync(target, 1000, 1001);
    chmodSync(target, 0o640);
    await publish('a', SETTINGS, () => {
      const [staged = ''] = readdirSync(dirname(target)).filter((name) => name.startsWith('.porin-'));
      expect(look(`published/${staged}`)).toBe('1000:1001 640');
      chmodSync(target, 0o600);
      return Promise.resolve();
    });
    expect(look('published/a')).toBe('1000:1001 600');
    await publish('b', SETTINGS, () => {
      chmodSync(tree.write('published/b', ''), 0o600);
      return Promise.resolve();
    });
    expect(look('published/b')).toBe('0:0 600');
  });
});

describe('a directory that is made for an output', () => {
  it('hands its group down where the one above does', async () => {
    const site = tree.path('published');
    chownSync(site, 0, 1001);
    chmodSync(site, 0o2775);
    await publish('x/y/a');
    expect(['x', 'x/y', 'x/y/a'].map((name) => look(`published/${name}`))).toEqual([
      '0:1001 2755',
      '0:1001 2755',
      '0:1001 644',
    ]);
  });

  it('is not left where it cannot be given to whom it belongs', async () => {
    expect((await jobErrorOf(publish('x/a', { ...SETTINGS, uid: -5 }))).code).toBe('output-upload-failed');
    expect(tree.list('published')).toEqual([]);
  });

  it('is swept where a kill left it under its hidden name', async () => {
    const temporary = temporaryName('killed', 0);
    for (const name of ['', 'x/', 'x/y/']) tree.directory(`published/${name}${temporary}`);
    const place = placeOf({ rules: rules() });
    await discardStaged({ url: tree.url('published/x/y/z/a'), path: '/out/a' }, temporary, place);
    expect(tree.list('published')).toEqual(['x', 'x/y']);
  });
});

describe('outputs together', () => {
  it('have the bytes of the job’s disk at most: holes count, and so does each name of a file', async () => {
    truncateSync(tree.path('out/a'), 600);
    linkSync(tree.path('out/a'), tree.path('out/b'));
    const stage = (name: string, bytes: number) =>
      stageOutput(
        { url: tree.url(`published/${name}`), path: `/out/${name}` },
        { directory: tree.path('out'), name },
        {
          place: placeOf({ rules: rules() }),
          temporary: temporaryName(name, 0),
          limit: { bytes, jobBytes: 1000 },
          ...fresh(),
        },
      );
    const first = await stage('a', 1000);
    const error = await jobErrorOf(stage('b', 1000 - first.bytes));
    expect([error.code, error.message]).toEqual([
      'output-too-large',
      'The output /out/b does not fit: outputs together may have as many bytes as the disk of the job, 1000. Holes, further names of a file and its copies for other outputs count.',
    ]);
    expect(tree.list('published')).toEqual(['.porin-a-0.part']);
  });
});

describe('two outputs of a job', () => {
  const stage = (name: string, temporary: string, files: JobFiles) =>
    stageOutput({ url: tree.url(`published/${name}`), path: `/out/${name}` }, source(), {
      place: placeOf({ rules: rules() }),
      temporary,
      limit: { bytes: 1000, jobBytes: 1000 },
      signal: never,
      files,
    });

  it('are refused where a link makes them one file', async () => {
    tree.directory('published/2025');
    symlinkSync('2025', tree.path('published/latest'));
    const files = new JobFiles();
    await stage('latest/a', '.porin-x-1.part', files);
    await stage('latest/b', '.porin-x-2.part', files);
    const error = await jobErrorOf(stage('2025/a', '.porin-x-3.part', files));
    expect([error.code, error.message]).toEqual([
      'output-refused',
      `The output /out/2025/a was refused at ${tree.url('published/2025/a')}: another output of the job goes to the same file.`,
    ]);
    expect(tree.list('published/2025')).toEqual(['.porin-x-1.part', '.porin-x-2.part']);
  });

  it.each(['the same attempt', 'another attempt'])(
    'are never put over one another, whatever the file system makes of their names: by %s',
    async (who) => {
      const files = new JobFiles();
      tree.directory('published/lower');
      const place = placeOf({ rules: rules() });
      const first = await stage('upper/a', '.porin-x-1.part', files);
      tree.write('out/a', 'another');
      const second = await stage('lower/a', '.porin-x-2.part', files);
      // From here on the two directories are one.
      renameSync(tree.path('published/lower/.porin-x-2.part'), tree.path('published/upper/.porin-x-2.part'));
      rmSync(tree.path('published/lower'), { recursive: true });
      symlinkSync('upper', tree.path('published/lower'));
      await publishStaged(first, place, { signal: never, files });
      const next = who === 'the same attempt' ? files : new JobFiles();
      if (next !== files) await findPublished(first, place, next);
      const error = await jobErrorOf(publishStaged(second, place, { signal: never, files: next }));
      expect([error.code, error.message]).toEqual([
        'output-refused',
        `The output /out/lower/a was refused at ${tree.url('published/lower/a')}: another output of the job is in the same file.`,
      ]);
      expect(readFileSync(tree.path('published/upper/a'), 'utf8')).toBe('content');
    },
  );
});

describe('a publication that is repeated', () => {
  it('finds in place what another has renamed, and refuses to go on without the bytes or with others', async () => {
    const place = placeOf({ rules: rules() });
    const output = { url: tree.url('published/a'), path: '/out/a' };
    const limit = { bytes: 1000, jobBytes: 1000 };
    const { stamp: _, ...staged } = await stageOutput(output, source(), {
      place,
      temporary: temporaryName('x', 0),
      limit,
      ...fresh(),
    });
    await publishStaged(staged, place, fresh());
    await publishStaged(staged, place, fresh());
    expect(tree.list('published')).toEqual(['a']);
    tree.write('published/a', 'another');
    expect((await jobErrorOf(publishStaged(staged, place, fresh()))).code).toBe('staged-output-lost');
    tree.write('published/.porin-x-0.part', 'forged!');
    expect((await jobErrorOf(publishStaged(staged, place, fresh()))).code).toBe('staged-output-lost');
    tree.write('published/.porin-x-0.part', 'content');
    await publishStaged(staged, place, fresh());
    expect(tree.list('published')).toEqual(['a']);
  });
});
