/** What a manifest names as staged bytes, which is the word of another node, reaches nothing but staged bytes. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { JobError } from '#lib/jobs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pin, through } from '../file/descriptor.js';
import { JobFiles, type OutputPlace } from './output-target.js';
import { discardStaged, publishStaged, stageOutput } from './stage-output.js';
import { openStaged, removeStaged, stagedPath, temporaryName } from './staged-file.js';

const NO_NAMES = ['', '.', '..', '../victim', '/etc/shadow', 'a/b', './victim', '../../out/victim', 'victim\0'];
/** Beside the target, and of others. */
const NOT_STAGED = [
  'victim',
  '.porin',
  '.porin-x.part',
  '.porin-x-0.part.txt',
  'x.porin-x-0.part',
  '.porin-x-0.part\n',
];
const SHA256 = '6e9fb2c2d6c0ec2d9a17b8a0d0c8b1c5b7f0f1f7f9e7d1d4a3c2b1a098765432';

let root: string;
let place: OutputPlace;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'porin-staged-name-'));
  for (const name of ['out', 'other', 'send', 'payload']) mkdirSync(join(root, name));
  for (const name of ['victim', 'out/victim', 'other/victim', 'send/victim']) writeFileSync(join(root, name), 'theirs');
  writeFileSync(join(root, 'payload/a'), 'forged');
  place = {
    rules: {
      inputPrefixes: [],
      outputPrefixes: [`${pathToFileURL(join(root, 'out')).href}/`, 'http://127.0.0.1:1/'],
      foreignPrefixes: [],
      allowPrivateAddresses: true,
      credentials: [],
      s3Endpoints: [],
      inputLimitBytes: 1000,
      jobInputsLimitBytes: 1000,
    },
    permissions: { uid: null, gid: null, mode: 0o644 },
    sendDirectory: join(root, 'send'),
    nodeName: 'node-a',
  };
});
afterEach(() => rmSync(root, { recursive: true }));

const targets = () => [
  { url: pathToFileURL(join(root, 'out/a')).href, path: '/out/a' },
  { url: 'http://127.0.0.1:1/a', path: '/out/a' },
];
const fresh = () => ({ signal: new AbortController().signal, files: new JobFiles() });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof JobError ? error.code : String(error)),
  );

describe('the name of staged bytes', () => {
  it.each([...NO_NAMES, ...NOT_STAGED])('is not %j: nothing is removed, renamed or written', async (temporary) => {
    for (const target of targets()) {
      const staged = { ...target, sha256: SHA256, bytes: 6, temporary };
      const options = { place, temporary, limit: { bytes: 100, jobBytes: 100 }, ...fresh() };
      const source = { directory: join(root, 'payload'), name: 'a' };
      expect(await codeOf(discardStaged(target, temporary, place))).toBe('staged-output-lost');
      expect(await codeOf(publishStaged(staged, place, fresh()))).toBe('staged-output-lost');
      expect(await codeOf(stageOutput(target, source, options))).toBe('staged-output-lost');
    }
    for (const name of ['victim', 'out/victim', 'other/victim', 'send/victim']) {
      expect(readFileSync(join(root, name), 'utf8')).toBe('theirs');
    }
    expect(readdirSync(join(root, 'out'))).toEqual(['victim']);
    expect(readdirSync(join(root, 'send'))).toEqual(['victim']);
  });

  it('is one that this library made', async () => {
    const directory = await pin(join(root, 'out'));
    try {
      const name = temporaryName('0b9d3b1e-5c8e-4a0e-9d0b-7f3b0c1d2e3f', 12);
      expect(stagedPath(directory, name)).toBe(through(directory, name));
      for (const forged of [...NO_NAMES, ...NOT_STAGED]) {
        expect(() => stagedPath(directory, forged)).toThrow('no staged bytes of ours');
        await expect(openStaged(directory, forged)).rejects.toThrow('no staged bytes of ours');
        await expect(removeStaged(directory, forged)).rejects.toThrow('no staged bytes of ours');
      }
    } finally {
      await directory.close();
    }
  });
});

describe('a path through a descriptor', () => {
  it('leads to an entry of that directory alone', async () => {
    const directory = await pin(join(root, 'out'));
    try {
      expect(through(directory, 'victim')).toMatch(/^\/proc\/self\/fd\/\d+\/victim$/);
      for (const entry of NO_NAMES) expect(() => through(directory, entry)).toThrow('no name of an entry');
    } finally {
      await directory.close();
    }
  });
});
