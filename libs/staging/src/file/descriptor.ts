/** Paths through open descriptors: what was opened is what is decided on, whatever is renamed or replaced meanwhile. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readlink } from 'node:fs/promises';

/** open(2): a descriptor that names a place and opens nothing, so a FIFO does not block and a device does not act. */
export const O_PATH = 0o10000000;

/** The place that the handle names, or an entry of the directory that it names: throws where `entry` would lead elsewhere. */
export function through(handle: FileHandle, entry?: string): string {
  if (entry === undefined) return `/proc/self/fd/${handle.fd}`;
  if (entry === '' || entry === '.' || entry === '..' || /[/\0]/.test(entry)) {
    throw new Error('this is no name of an entry of a directory');
  }
  return `/proc/self/fd/${handle.fd}/${entry}`;
}

/** Follows links. */
export function pin(path: string): Promise<FileHandle> {
  return open(path, O_PATH);
}

/** An entry of a directory, a link itself if it is one. */
export async function pinEntry(directory: FileHandle, entry: string): Promise<FileHandle> {
  return open(through(directory, entry), O_PATH | constants.O_NOFOLLOW);
}

/** Opens for reading exactly what is pinned. Only for regular files: anything else could block or act. */
export function openPinned(pinned: FileHandle): Promise<FileHandle> {
  return open(through(pinned), constants.O_RDONLY);
}

/** Where the pinned thing is now, as the kernel says, one character for each byte: names need not be UTF-8. */
export function realPathOf(pinned: FileHandle): Promise<string> {
  return readlink(through(pinned), { encoding: 'latin1' });
}

/** Whether the directory that the handle names is gone. Nothing can be made in it any more. */
export async function isRemoved(pinned: FileHandle): Promise<boolean> {
  return (await realPathOf(pinned)).endsWith(' (deleted)');
}

/** Both as `realPathOf` gives them. */
export function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`);
}

/** The real paths of those that exist. */
export async function realRoots(roots: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(roots.map(realPath));
  return found.filter((path) => path !== null);
}

async function realPath(path: string): Promise<string | null> {
  const pinned = await pin(path).catch(() => null);
  if (pinned === null) return null;
  try {
    return await realPathOf(pinned);
  } finally {
    await pinned.close();
  }
}

/** What a message calls it. */
export function typeOf(stats: Stats): string {
  if (stats.isFile()) return 'regular file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symbolic link';
  if (stats.isFIFO()) return 'FIFO';
  if (stats.isSocket()) return 'socket';
  return stats.isBlockDevice() ? 'block device' : 'character device';
}
