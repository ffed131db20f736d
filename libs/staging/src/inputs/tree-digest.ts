/** What stands for the content of a directory that is an input. */
import { createHash } from 'node:crypto';

/** SHA-256, of the paths and digests of its files in whatever order; lower-case hexadecimal. Directories without a file do not count. */
export function treeDigest(files: readonly (readonly [path: string, sha256: string])[]): string {
  const sorted = files.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}
