/** Directories and patterns: what is copied in, what is selected of what a payload left, and what every attack on it ends with. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OutputReference } from '#lib/jobs';
import { createFile, SelectionBudget, selectFiles, stageInput, type StagingRules } from '#lib/staging';
import { codeOf, jobErrorOf, rulesWith, sha256, Tree } from '../support/staging.js';

const never = new AbortController().signal;
const OWNER = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
let tree: Tree;

beforeEach(() => {
  tree = new Tree();
  for (const name of ['allowed', 'staged', 'out']) tree.directory(name);
  tree.write('secret/key', 'the secret');
});
afterEach(() => {
  expect(tree.openDescriptors()).toEqual([]);
  tree.remove();
});

describe('an input that is a directory', () => {
  const stage = (name: string, rules: Partial<StagingRules> = {}, signal = never) =>
    stageInput(
      { path: '/in', url: tree.url(name), type: 'DIRECTORY' },
      join(tree.root, 'staged/a'),
      rulesWith({ inputPrefixes: [tree.url('allowed')], ...rules }),
      signal,
    );
  const refusal = async (name: string, rules?: Partial<StagingRules>) => {
    const error = await jobErrorOf(stage(name, rules));
    expect(tree.list('staged')).toEqual([]);
    return error;
  };

  it('is copied read-only, with a digest of all of it', async () => {
    tree.write('allowed/d/b/c', 'one');
    tree.write('allowed/d/a', 'two');
    tree.directory('allowed/d/empty');
    const files = [
      ['a', sha256('two')],
      ['b/c', sha256('one')],
    ];
    expect(await stage('allowed/d')).toEqual({ sha256: sha256(JSON.stringify(files)), bytes: 6 });
    expect(tree.list('staged/a')).toEqual(['a', 'b', 'b/c', 'empty']);
    expect(readFileSync(tree.path('staged/a/b/c'), 'utf8')).toBe('one');
    expect(statSync(tree.path('staged/a/b/c')).mode & 0o7777).toBe(0o444);
    expect(statSync(tree.path('staged/a/b')).mode & 0o7777).toBe(0o555);
  });

  it('may be reached by a link inside the allowed directories, and holds none', async () => {
    tree.write('allowed/d/a', 'A');
    symlinkSync('d', tree.path('allowed/l'));
    expect(await stage('allowed/l')).toMatchObject({ bytes: 1 });
  });

  it.each<[string, (path: string) => void, string]>([
    ['a link', (path) => symlinkSync('/etc/passwd', join(path, 'x/l')), 'x/l in it is a symbolic link'],
    ['a pipe', (path) => void execFileSync('mkfifo', [join(path, 'x/p')]), 'x/p in it is a FIFO'],
    [
      'a name that is not UTF-8',
      (path) => writeFileSync(Buffer.concat([Buffer.from(join(path, 'x/')), Buffer.from([0xff])]), ''),
      'is not UTF-8',
    ],
    [
      'too many directories in one another',
      (path) => mkdirSync(join(path, 'd/'.repeat(70)), { recursive: true }),
      '64',
    ],
  ])('is refused with %s in it', async (_what, make, said) => {
    mkdirSync(tree.path('allowed/d/x'), { recursive: true });
    make(tree.path('allowed/d'));
    const error = await refusal('allowed/d');
    expect(error.code).toBe('input-directory');
    expect(error.message).toContain(said);
  });

  it('is one, is there, is allowed, and holds nothing of another tenant', async () => {
    tree.write('allowed/file', '');
    tree.write('allowed/d/theirs/a', 'A');
    symlinkSync(tree.path('secret'), tree.path('allowed/out'));
    expect((await refusal('allowed/file')).code).toBe('input-directory');
    expect((await refusal('allowed/none')).code).toBe('input-not-found');
    expect((await refusal('allowed/out')).code).toBe('input-outside-roots');
    expect((await refusal('secret')).code).toBe('input-not-allowed');
    const foreignPrefixes = [tree.url('allowed/d/theirs')];
    expect((await refusal('allowed/d', { foreignPrefixes })).code).toBe('input-outside-roots');
  });

  it('has as many bytes as one input may have', async () => {
    tree.write('allowed/d/a', 'AAAA');
    tree.write('allowed/d/b', 'BBBB');
    expect((await refusal('allowed/d', { inputLimitBytes: 7 })).code).toBe('input-too-large');
    expect(await stage('allowed/d', { inputLimitBytes: 8 })).toMatchObject({ bytes: 8 });
  });

  it('is gone when it is stopped', async () => {
    tree.write('allowed/d/a', 'A');
    await expect(stage('allowed/d', {}, AbortSignal.abort('canceled'))).rejects.toBe('canceled');
    expect(tree.list('staged')).toEqual([]);
  });
});

describe('files of an output', () => {
  const select = (output: Partial<OutputReference>, budget = new SelectionBudget(), inputs: string[] = []) =>
    selectFiles(
      { path: '/out', url: 'file:///to', ...output },
      { directory: join(tree.root, 'out'), name: '' },
      { inputs: new Set(inputs), budget },
    );
  const pathsOf = async (output: Partial<OutputReference>) => (await select(output)).files.map(({ path }) => path);
  const codesOf = async (output: Partial<OutputReference>, budget?: SelectionBudget) =>
    (await select(output, budget)).problems.map(({ code }) => code);

  it('are all below a directory, in the order of their names', async () => {
    for (const name of ['b', 'a/z', 'a/b/c', 'a-']) tree.write(`out/${name}`, '');
    expect(await pathsOf({ type: 'DIRECTORY' })).toEqual(['/out/a/b/c', '/out/a/z', '/out/a-', '/out/b']);
  });

  it('match a pattern as those of a shell do', async () => {
    for (const name of ['a.txt', '.a.txt', 'b/a.txt', 'b/c/a.txt', 'a.txt.d/x']) tree.write(`out/${name}`, '');
    const pattern = (path: string) => pathsOf({ path, pathPrefix: '/' });
    expect(await pattern('/out/*.txt')).toEqual(['/out/a.txt']);
    expect(await pattern('/out/.*')).toEqual(['/out/.a.txt']);
    expect(await pattern('/out/*/*.txt')).toEqual(['/out/b/a.txt']);
    expect(await pattern('/out/[!a]/?/a.txt')).toEqual(['/out/b/c/a.txt']);
    expect(await pattern('/out/**/a.txt')).toEqual(['/out/b/a.txt']);
    expect(await pattern('/out/*.d')).toEqual([]);
  });

  it('are named by what is left of their paths', async () => {
    tree.write('out/a b/1%', '');
    const { files } = await select({ path: '/out/*/*', pathPrefix: '/' });
    expect(files).toEqual([
      {
        url: 'file:///to/out/a%20b/1%25',
        path: '/out/a b/1%',
        source: { directory: join(tree.root, 'out'), name: 'a b/1%' },
      },
    ]);
    expect((await select({ path: '/out/*/*', pathPrefix: '/out' })).files[0]?.url).toBe('file:///to/a%20b/1%25');
  });

  it('are never behind a link, nor the engine’s own in the place of inputs', async () => {
    symlinkSync(join(tree.root, 'secret'), tree.path('out/l'));
    tree.write('out/in', '');
    expect(await select({ type: 'DIRECTORY' }, new SelectionBudget(), ['/out/in'])).toMatchObject({
      files: [],
      problems: [{ code: 'output-is-link', message: expect.stringContaining('/out/l') }],
    });
    expect(await pathsOf({ path: '/out/*/key', pathPrefix: '/out' })).toEqual([]);
    expect(await codesOf({ path: '/out/*', pathPrefix: '/out' })).toEqual(['output-is-link']);
  });

  it('are bounded, of all outputs together', async () => {
    for (const name of ['a', 'b', 'c', 'd']) tree.write(`out/${name}`, '');
    const little = (changes: Partial<SelectionBudget>) => Object.assign(new SelectionBudget(), changes);
    for (const budget of [little({ files: 3 }), little({ entries: 3 }), little({ nameBytes: 60 })]) {
      const { files, problems } = await select({ type: 'DIRECTORY' }, budget);
      expect(files.length).toBeLessThan(4);
      expect(problems.map(({ code }) => code)).toEqual(['output-unpublishable']);
    }
    const shared = little({ files: 6 });
    expect(await codesOf({ type: 'DIRECTORY' }, shared)).toEqual([]);
    expect(await codesOf({ type: 'DIRECTORY' }, shared)).toEqual(['output-unpublishable']);
  });

  it('tell of no more problems than somebody reads', async () => {
    for (let index = 0; index < 150; index++) symlinkSync('/etc', tree.path(`out/${index}`));
    expect(await codesOf({ type: 'DIRECTORY' })).toHaveLength(100);
  });
});

describe('a file that the worker makes for a payload', () => {
  const make = (name: string) => createFile({ directory: join(tree.root, 'out'), name }, `/out/${name}`, OWNER);

  it('takes the place of what is there, a link itself', async () => {
    symlinkSync(join(tree.root, 'secret/key'), tree.path('out/a'));
    const file = await make('a');
    await file.write('mine');
    await file.close();
    expect(readFileSync(tree.path('out/a'), 'utf8')).toBe('mine');
    expect(readFileSync(tree.path('secret/key'), 'utf8')).toBe('the secret');
  });

  it('has its directories made, and is behind no link', async () => {
    await (await make('b/c/d')).close();
    expect(tree.list('out')).toEqual(['b', 'b/c', 'b/c/d']);
    renameSync(tree.path('out/b'), tree.path('elsewhere'));
    symlinkSync(join(tree.root, 'elsewhere'), tree.path('out/b'));
    expect(await codeOf(make('b/new'))).toBe('standard-output');
    expect(await codeOf(make('b/c/d'))).toBe('standard-output');
    tree.directory('out/e');
    expect(await codeOf(make('e'))).toBe('standard-output');
    tree.write('out/f', '');
    expect(await codeOf(make('f/g'))).toBe('standard-output');
    expect(tree.list('elsewhere')).toEqual(['c', 'c/d']);
  });
});
