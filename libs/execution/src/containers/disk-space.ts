/** Whether a file system with a bound of ours is used up. */
import { statfs } from 'node:fs/promises';

/**
 * A write that does not fit as a whole may be refused while this much is free (ext4 with large folios reserves up to
 * 2 MiB at once); Scratch.create adds it to the bytes that were asked for.
 */
export const DISK_MARGIN_BYTES = 4 * 1024 * 1024;
/** linux/magic.h. It gives out single pages, to the last. */
const TMPFS_MAGIC = 0x01021994;
const TMPFS_MARGIN_BYTES = 64 * 1024;

/** Free space or free inodes are gone. False where it cannot be told. */
export async function isFull(directory: string): Promise<boolean> {
  try {
    const { type, bsize, bavail, files, ffree } = await statfs(directory);
    const margin = type === TMPFS_MAGIC ? TMPFS_MARGIN_BYTES : DISK_MARGIN_BYTES;
    return bavail * bsize < margin || (files > 0 && ffree === 0);
  } catch {
    return false;
  }
}
