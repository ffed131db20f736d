/** Whether a file system with a bound of ours is used up. */
import { statfs } from 'node:fs/promises';

/**
 * The last share of a file system: what Scratch.create adds to the bytes that were asked for is more. Blocks that a
 * writer was refused may come free a moment later, so none left is not the test.
 */
const MARGIN = 0.01;

/** Free space or free inodes are gone. False where it cannot be told. */
export async function isFull(directory: string): Promise<boolean> {
  try {
    const { blocks, bavail, files, ffree } = await statfs(directory);
    return bavail < blocks * MARGIN || (files > 0 && ffree === 0);
  } catch {
    return false;
  }
}
