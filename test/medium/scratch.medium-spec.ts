/** The bounded disk of an attempt where the node's own disk is not as it should be. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { removeStaleScratch, Scratch } from '#lib/execution';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publishOutput } from '../support/staging.js';

const MIB = 1024 * 1024;
const OWNER = { uid: 210_000, gid: 210_000 };
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'porin-scratch-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8');

describe('scratch below a symbolic link', () => {
  beforeEach(() => {
    mkdirSync(join(directory, 'real'));
    symlinkSync('real', join(directory, 'link'));
  });

  it('is unmounted before it is removed', async () => {
    const scratch = await Scratch.create({ directory: join(directory, 'link', 'attempt'), bytes: MIB, ...OWNER });
    await scratch.remove();
    expect(mounts()).not.toContain(directory);
    expect(existsSync(join(directory, 'real', 'attempt'))).toBe(false);
  });

  it.each(['link', 'real/'])('is cleared after a crash: %s', async (name) => {
    await Scratch.create({ directory: join(directory, name, 'attempt'), bytes: MIB, ...OWNER });
    await removeStaleScratch(`${directory}/${name}`);
    expect(mounts()).not.toContain(directory);
    expect(readdirSync(join(directory, 'real'))).toEqual([]);
  });
});

describe('an output that the node’s full disk did not take', () => {
  it('is not published', async () => {
    const work = join(directory, 'work');
    mkdirSync(work);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', work]);
    try {
      const scratch = await Scratch.create({ directory: join(work, 'attempt'), bytes: 64 * MIB, ...OWNER });
      try {
        writeFileSync(join(scratch.path, 'result'), randomBytes(32 * MIB));
        const url = pathToFileURL(join(directory, 'published')).href;
        const published = publishOutput(
          { url, path: '/out/result' },
          { directory: scratch.path, name: 'result' },
          {
            rules: {
              inputPrefixes: [],
              outputPrefixes: [pathToFileURL(directory).href],
              foreignPrefixes: [],
              allowPrivateAddresses: false,
              credentials: [],
              s3Endpoints: [],
              inputLimitBytes: 0,
              jobInputsLimitBytes: 0,
            },
            limitBytes: 64 * MIB,
            signal: new AbortController().signal,
            beforeCommit: () => Promise.resolve(),
          },
        );
        await expect(published).rejects.toMatchObject({ code: 'output-upload-failed' });
        expect(existsSync(join(directory, 'published'))).toBe(false);
      } finally {
        await scratch.remove();
      }
    } finally {
      execFileSync('umount', [work]);
    }
  });
});

describe('scratch that is used again', () => {
  it('is empty, whatever was in it', async () => {
    const scratch = await Scratch.create({ directory: join(directory, 'attempt'), bytes: MIB, ...OWNER });
    try {
      mkdirSync(join(scratch.path, 'tmp/deep/er'), { recursive: true });
      writeFileSync(join(scratch.path, 'tmp/deep/er/.hidden'), 'secret');
      symlinkSync('/etc', join(scratch.path, 'tmp/link'));
      expect(await scratch.empty()).toBe(true);
      expect(readdirSync(scratch.path)).toEqual([]);
      expect(existsSync('/etc/passwd')).toBe(true);
    } finally {
      await scratch.remove();
    }
  });

  it('is not that one of which the host would keep much, or in which very many files are', async () => {
    const scratch = await Scratch.create({ directory: join(directory, 'attempt'), bytes: 100 * MIB, ...OWNER });
    try {
      for (let index = 0; index < 300; index += 1) writeFileSync(join(scratch.path, `${index}`), '');
      expect(await scratch.empty()).toBe(false);
      for (const name of readdirSync(scratch.path)) rmSync(join(scratch.path, name));
      writeFileSync(join(scratch.path, 'large'), Buffer.alloc(80 * MIB, 1));
      execFileSync('sync', ['-f', scratch.path]);
      expect(await scratch.empty()).toBe(false);
    } finally {
      await scratch.remove();
    }
  });
});
