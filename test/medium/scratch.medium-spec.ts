/** Scratch on the real kernel: bounded, owned, and gone after use or a crash. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeStaleScratch, Scratch } from '#lib/execution';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const MIB = 1024 * 1024;
const owner = { uid: 223_344, gid: 223_345 };

let work: string;

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'porin scratch-'));
});
afterEach(async () => {
  await removeStaleScratch(work);
  rmSync(work, { recursive: true });
});

const make = (name: string, bytes: number) => Scratch.create({ directory: join(work, name), bytes, ...owner });

function mountLine(path: string): string | undefined {
  const escaped = path.replaceAll(' ', '\\040');
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[4] === escaped);
}

describe('scratch', () => {
  it.each([1, 8, 64, 256, 4096])('has room for the %i MiB that were asked for, and little more', async (mib) => {
    const scratch = await make('attempt', mib * MIB);
    const { bavail, bsize } = await statfs(scratch.path);
    expect(await scratch.isFull()).toBe(false);
    expect(bavail * bsize).toBeGreaterThanOrEqual(mib * MIB + 4 * MIB);
    expect(bavail * bsize).toBeLessThanOrEqual(mib * MIB * 1.05 + 8 * MIB);
  });

  it('takes what was asked for, is then full at the next few bytes, and refuses more', async () => {
    const scratch = await make('attempt', 8 * MIB);
    await writeFile(join(scratch.path, 'allowed'), Buffer.alloc(8 * MIB));
    expect(await scratch.isFull()).toBe(false);
    await expect(writeFile(join(scratch.path, 'more'), Buffer.alloc(16 * MIB))).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    expect(await scratch.isFull()).toBe(true);
  });

  it('is full without a free inode', async () => {
    const scratch = await make('attempt', MIB);
    const { ffree } = await statfs(scratch.path);
    for (let made = 0; made < ffree; made += 1) writeFileSync(join(scratch.path, String(made)), '');
    expect(await scratch.isFull()).toBe(true);
  });

  it('is empty, the attempt’s own, and mounted without setuid and devices', async () => {
    const scratch = await make('attempt', 8 * MIB);
    expect(readdirSync(scratch.path)).toEqual([]);
    expect(statSync(scratch.path)).toMatchObject(owner);
    const options = mountLine(scratch.path)?.split(' ')[5]?.split(',');
    expect(options).toEqual(expect.arrayContaining(['rw', 'nosuid', 'nodev']));
  });

  it('takes no space on the host before it is written to', async () => {
    await make('attempt', 1024 * MIB);
    const { blocks, size } = statSync(join(work, 'attempt/scratch.ext4'));
    expect(size).toBeGreaterThan(1024 * MIB);
    expect(blocks * 512).toBeLessThan(4 * MIB);
  });

  it('is gone after its removal, also while a file in it is open', async () => {
    const scratch = await make('attempt', 8 * MIB);
    writeFileSync(join(scratch.path, 'open'), 'data');
    const { open } = await import('node:fs/promises');
    const held = await open(join(scratch.path, 'open'));
    await scratch.remove();
    await held.close();
    expect(mountLine(scratch.path)).toBeUndefined();
    expect(existsSync(join(work, 'attempt'))).toBe(false);
  });

  it('is made many times at once', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, (_, index) => make(`attempt-${index}`, 8 * MIB)));
    for (const [index, scratch] of all.entries()) writeFileSync(join(scratch.path, 'which'), String(index));
    expect(all.map(({ path }) => readFileSync(join(path, 'which'), 'utf8'))).toEqual(all.map((_, index) => `${index}`));
    await Promise.all(all.map((scratch) => scratch.remove()));
    expect(readdirSync(work)).toEqual([]);
  });

  it('leaves nothing when it cannot be made', async () => {
    await expect(make('attempt', Number.MAX_SAFE_INTEGER)).rejects.toThrow();
    expect(readdirSync(work)).toEqual([]);
  });
});

describe('after a crash', () => {
  it('everything below the work directory is unmounted and removed, and nothing beside it', async () => {
    const scratch = await make('job/attempt', 8 * MIB);
    const other = await Scratch.create({ directory: `${work}-beside/attempt`, bytes: 8 * MIB, ...owner });
    writeFileSync(join(scratch.path, 'output'), 'half');
    mkdirSync(join(work, 'inputs'));
    try {
      await removeStaleScratch(work);
      expect(readdirSync(work)).toEqual([]);
      expect(mountLine(scratch.path)).toBeUndefined();
      expect(mountLine(other.path)).toBeDefined();
    } finally {
      await other.remove();
      rmSync(`${work}-beside`, { recursive: true });
    }
  });

  it('a work directory that does not exist yet is left alone', async () => {
    await removeStaleScratch(join(work, 'none'));
    expect(readdirSync(work)).toEqual([]);
  });
});
