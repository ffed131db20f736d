/** One file of the cache, while an input is made of it. Its bytes count for nothing before they were read and hashed again. */
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, link, open, rm, stat } from 'node:fs/promises';
import { readChunks } from '../copy.js';

/** What the cache has is not what it says. It has it no more: the input is to be fetched. */
export class DamagedFile extends Error {
  override readonly name = 'DamagedFile';
}

export interface CachedFileUse {
  /** Its bytes were read, and are what they should be. */
  readonly onTaken: () => void;
  /** It is to be forgotten. */
  readonly onDamaged: () => void;
}

export class CachedFile {
  private constructor(
    private readonly file: FileHandle,
    private readonly path: string,
    readonly sha256: string,
    private readonly use: CachedFileUse,
  ) {}

  /** `path`: of the cache. Throws DamagedFile. */
  static async open(path: string, { sha256, bytes }: { sha256: string; bytes: number }, use: CachedFileUse) {
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      const stats = await file.stat();
      if (stats.isFile() && stats.size === bytes) return new CachedFile(file, path, sha256, use);
      await file.close();
    } catch (cause) {
      use.onDamaged();
      throw new DamagedFile('a cached file cannot be opened', { cause });
    }
    use.onDamaged();
    throw new DamagedFile('a cached file has another size');
  }

  /** Throws DamagedFile where they cannot be read. */
  async *chunks(signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield* readChunks(this.file, signal);
    } catch (error) {
      throw signal.aborted ? error : this.damaged(error);
    }
  }

  /**
   * Gives the file itself to one job, as `target`; false where it cannot be, and a copy is to be made. It belongs to root, and a
   * payload has it read-only. But whoever has it open sees the locks (flock) that others put on it: so no two jobs have it at once.
   */
  async lendTo(target: string): Promise<boolean> {
    try {
      await link(this.path, target);
    } catch {
      // `target` exists, or is on another file system.
      return false;
    }
    const [own, lent] = await Promise.all([this.file.stat({ bigint: true }), stat(target, { bigint: true })]);
    if (isSame(own, lent) && lent.nlink === CACHE_AND_JOB) return true;
    await rm(target);
    return false;
  }

  taken(): void {
    this.use.onTaken();
  }

  damaged(cause?: unknown): DamagedFile {
    this.use.onDamaged();
    return new DamagedFile('a cached file has other bytes', { cause });
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** Names of a file. */
const CACHE_AND_JOB = 2n;

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}
