/** What staging and publication do when others act between any two of their system calls. */
import { chmodSync, mkdirSync, renameSync, rmdirSync, statSync } from 'node:fs';
import type { StagedOutput } from '#lib/staging';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tree } from '../support/staging.js';

type Call = 'open' | 'mkdir' | 'rename' | 'lstat';
type Act = (path: string) => void;
const acts = new Map<string, Act>();

/** Runs what a test registered for a call, once. Links of /proc are given as the names of what they end in. */
function act(when: 'before' | 'after', call: Call, name: string, what: Act): void {
  acts.set(`${when} ${call} ${name}`, what);
}

vi.doMock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<Record<Call, (...values: unknown[]) => Promise<unknown>>>();
  const run = (when: string, call: string, path: string) => {
    const key = `${when} ${call} ${path.slice(path.lastIndexOf('/') + 1)}`;
    const what = acts.get(key);
    acts.delete(key);
    what?.(path);
  };
  const hooked = (call: Call) => {
    return async (...values: unknown[]) => {
      run('before', call, String(values[0]));
      const result = await real[call](...values);
      run('after', call, String(values[0]));
      return result;
    };
  };
  return { ...real, open: hooked('open'), mkdir: hooked('mkdir'), rename: hooked('rename'), lstat: hooked('lstat') };
});

// Other files of this process have loaded them with the real calls, and others will.
vi.resetModules();
const { JobFiles, publishStaged, stageOutput } = await import('#lib/staging');
const { codeOf, placeOf, rulesWith, Tree: NewTree } = await import('../support/staging.js');
afterAll(() => {
  vi.doUnmock('node:fs/promises');
  vi.resetModules();
});

let tree: Tree;
const TEMPORARY = '.porin-x-0.part';
const controller = () => new AbortController();

beforeEach(() => {
  tree = new NewTree();
  tree.write('out/a', 'content');
  tree.directory('published');
});
afterEach(() => {
  expect([...acts.keys()]).toEqual([]);
  expect(tree.openDescriptors()).toEqual([]);
  acts.clear();
  tree.remove();
});

const place = () => placeOf({ rules: rulesWith({ outputPrefixes: [tree.url('published')] }) });
const outputTo = (name: string) => ({ url: tree.url(`published/${name}`), path: '/out/a' });
const modeOf = (name: string) => (statSync(tree.path(name)).mode & 0o777).toString(8);

function stage(name: string): Promise<StagedOutput> {
  return stageOutput(
    outputTo(name),
    { directory: tree.path('out'), name: 'a' },
    {
      place: place(),
      temporary: TEMPORARY,
      limit: { bytes: 1000, jobBytes: 1000 },
      signal: controller().signal,
      files: new JobFiles(),
    },
  );
}

describe('a directory that two workers make at once', () => {
  const replace = (name: string) => () => {
    rmdirSync(tree.path(name));
    mkdirSync(tree.path(name));
  };

  it('is looked for again where the other one’s takes its place before anything is in it', async () => {
    mkdirSync(tree.path('published/x'));
    act('before', 'open', TEMPORARY, replace('published/x'));
    await stage('x/a');
    expect(tree.list('published')).toEqual(['x', `x/${TEMPORARY}`]);
  });

  it('is looked for again where the next directory was to be made in it', async () => {
    mkdirSync(tree.path('published/x'));
    act('before', 'mkdir', TEMPORARY, replace('published/x'));
    await stage('x/y/a');
    expect(tree.list('published')).toEqual(['x', 'x/y', `x/y/${TEMPORARY}`]);
  });

  it('is the other one’s where that has something in it by then', async () => {
    act('before', 'rename', TEMPORARY, () => {
      mkdirSync(tree.path('published/x'));
      chmodSync(tree.path('published/x'), 0o711);
      tree.write('published/x/other', '');
    });
    await stage('x/a');
    expect(tree.list('published')).toEqual(['x', `x/${TEMPORARY}`, 'x/other']);
    expect(modeOf('published/x')).toBe('711');
  });
});

describe('a directory that is made', () => {
  it('has its owner and mode before it has its name', async () => {
    act('before', 'rename', TEMPORARY, (path) => {
      expect(statSync(path).mode & 0o777).toBe(0o755);
      expect(tree.list('published')).toEqual([TEMPORARY]);
    });
    await stage('x/a');
    expect(modeOf('published/x')).toBe('755');
  });
});

describe('a worker that stood still after it has looked at the file to be replaced', () => {
  it('leaves alone what another attempt has put in place meanwhile and its owner has narrowed', async () => {
    tree.write('published/a', 'earlier');
    const staged = await stage('a');
    act('after', 'lstat', 'a', () => {
      renameSync(tree.path(`published/${TEMPORARY}`), tree.path('published/a'));
      chmodSync(tree.path('published/a'), 0o600);
    });
    await publishStaged(staged, place(), { signal: controller().signal, files: new JobFiles() });
    expect(modeOf('published/a')).toBe('600');
    expect(tree.list('published')).toEqual(['a']);
  });

  it('changes nothing any more once its lease is gone', async () => {
    const staged = await stage('a');
    chmodSync(tree.write('published/a', 'came meanwhile'), 0o600);
    const lease = controller();
    act('after', 'lstat', 'a', () => lease.abort(new Error('lost')));
    await expect(publishStaged(staged, place(), { signal: lease.signal, files: new JobFiles() })).rejects.toThrow(
      'lost',
    );
    expect([modeOf(`published/${TEMPORARY}`), modeOf('published/a')]).toEqual(['644', '600']);
  });

  it('puts nothing over what came after the rename of another attempt', async () => {
    const staged = await stage('a');
    act('before', 'rename', TEMPORARY, () => {
      renameSync(tree.path(`published/${TEMPORARY}`), tree.path('published/a'));
      tree.write('published/newer', 'newer');
      renameSync(tree.path('published/newer'), tree.path('published/a'));
    });
    expect(await codeOf(publishStaged(staged, place(), { signal: controller().signal, files: new JobFiles() }))).toBe(
      'staged-output-lost',
    );
    expect(statSync(tree.path('published/a')).size).toBe('newer'.length);
  });
});
