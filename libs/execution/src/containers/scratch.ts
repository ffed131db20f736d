/** The bounded disk of one attempt: a sparse file with an ext4 file system, mounted from a loop device. Needs root. */
import { execFile } from 'node:child_process';
import { mkdir, open, readFile, readdir, realpath, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DISK_MARGIN_BYTES, isFull } from './disk-space.js';
import { mountsBelow } from './mounts.js';

export interface ScratchOptions {
  /** Of this attempt alone; made where it does not exist. */
  readonly directory: string;
  /** What the payload may write, at least. */
  readonly bytes: number;
  /** Owner of its root. */
  readonly uid: number;
  readonly gid: number;
}

const MIB = 1024 * 1024;
const BLOCK_BYTES = 4096;
/** Files and bytes on the host up to which a used scratch is emptied rather than made anew. */
const EMPTIED_FILES = 256;
const EMPTIED_BYTES = 64 * MIB;
/** Unit of st_blocks, stat(2). */
const STAT_BLOCK_BYTES = 512;
const IMAGE = 'scratch.ext4';
const MOUNT = 'scratch';
/** Where Debian has mkfs.ext4, also for users whose PATH is without it. */
const ENVIRONMENT = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C.UTF-8' };
/**
 * What is lost when the node loses power is lost with the attempt: no journal. The inode table is neither written now nor,
 * as there is no journal to need it, by a kernel thread later than the mount's end.
 */
const MKFS = ['-q', '-F', '-b', String(BLOCK_BYTES), '-i', '16384', '-m', '0', '-O', '^has_journal,^resize_inode'];

export class Scratch {
  private constructor(
    private readonly directory: string,
    /** Where it is mounted. */
    readonly path: string,
  ) {}

  /** Takes about 20 ms, and space on the host only for what is written. */
  static async create({ directory, bytes, uid, gid }: ScratchOptions): Promise<Scratch> {
    const scratch = new Scratch(directory, join(directory, MOUNT));
    const image = join(directory, IMAGE);
    await mkdir(scratch.path, { recursive: true });
    try {
      const file = await open(image, 'wx', 0o600);
      await file.truncate(imageBytes(bytes)).finally(() => file.close());
      const extended = `lazy_itable_init=1,nodiscard,root_owner=${uid}:${gid}`;
      await run('mkfs.ext4', [...MKFS, '-E', extended, image]);
      await run('mount', ['-t', 'ext4', '-o', 'loop,nosuid,nodev,noatime', image, scratch.path]);
      await rmdir(join(scratch.path, 'lost+found'));
    } catch (error) {
      await scratch.remove();
      throw error;
    }
    return scratch;
  }

  /** More than the bytes asked for are used, or no inode is left. */
  isFull(): Promise<boolean> {
    return isFull(this.path);
  }

  /**
   * Empties it for a next attempt of the same user and size. False where that would take long, or where the host keeps much
   * space that was once written: then it is to be removed.
   */
  async empty(): Promise<boolean> {
    const [{ files, ffree }, image] = await Promise.all([statfs(this.path), stat(join(this.directory, IMAGE))]);
    if (files - ffree > EMPTIED_FILES || image.blocks * STAT_BLOCK_BYTES > EMPTIED_BYTES) return false;
    for (const name of await readdir(this.path)) await rm(join(this.path, name), { recursive: true, force: true });
    return true;
  }

  /** Undoes the mount and removes the attempt's directory. */
  async remove(): Promise<void> {
    await unmountBelow(this.directory);
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** After a crash: undoes every mount below, and removes all that is there. */
export async function removeStaleScratch(workDirectory: string): Promise<void> {
  await unmountBelow(workDirectory);
  const names = await readdir(workDirectory).catch(() => []);
  for (const name of names) await rm(join(workDirectory, name), { recursive: true, force: true });
}

/** Bytes of the host's disk that the scratches below have taken, however many of them are in use. */
export async function scratchBytes(workDirectory: string): Promise<number> {
  const names = await readdir(workDirectory);
  const taken = await Promise.all(
    names.map((name) =>
      stat(join(workDirectory, name, IMAGE)).then(
        ({ blocks }) => blocks * STAT_BLOCK_BYTES,
        () => 0,
      ),
    ),
  );
  return taken.reduce((sum, bytes) => sum + bytes, 0);
}

/** The file system takes space of its own: inodes 1.6 %, a reserve of 2 %, and a little for itself. */
function imageBytes(bytes: number): number {
  const whole = Math.ceil(bytes * 1.045) + DISK_MARGIN_BYTES + MIB;
  return whole - (whole % BLOCK_BYTES);
}

/**
 * Lazily where something still uses it: nothing below a mount may be removed by what follows. The kernel knows mounts by
 * their real paths.
 */
async function unmountBelow(directory: string): Promise<void> {
  const real = await realpath(directory).catch(() => directory);
  for (const path of mountsBelow(real, await readFile('/proc/self/mountinfo', 'utf8'))) {
    await run('umount', [path]).catch(() => run('umount', ['--lazy', path]));
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(program, [...args], { env: ENVIRONMENT });
}
