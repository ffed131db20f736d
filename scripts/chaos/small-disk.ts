/** A file system of a few hundred MiB that can be filled to the last byte without harm to the machine. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const BLOCK_BYTES = 4096;
const WRITTEN_BYTES = 8 * 1024 ** 2;

export class SmallDisk {
  readonly #filler: string;

  private constructor(readonly path: string) {
    this.#filler = join(path, 'filler');
  }

  /** In a loop file beside the path. Whoever removes what is below must unmount it first. */
  static mount(path: string, bytes: number): SmallDisk {
    const file = `${path}.img`;
    mkdirSync(path, { recursive: true, mode: 0o700 });
    writeFileSync(file, '', { mode: 0o600 });
    truncateSync(file, bytes);
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', file]);
    execFileSync('mount', ['-o', 'loop,nosuid,nodev', file, path]);
    return new SmallDisk(path);
  }

  fill(): void {
    const { bavail, bsize } = statfsSync(this.path);
    // The file system needs some of it for the file itself.
    const most = bavail * bsize - WRITTEN_BYTES;
    if (most > 0) execFileSync('fallocate', ['-l', String(most), this.#filler], { stdio: 'ignore' });
    const file = openSync(this.#filler, 'a');
    try {
      for (;;) writeSync(file, Buffer.alloc(BLOCK_BYTES));
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  empty(): void {
    rmSync(this.#filler, { force: true });
  }
}
