/** Outputs to `file:` URLs: written beside the target under another name, and renamed when they are whole. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises';
import { readChunks, writeHashed } from './copy.js';
import { isWithin, pin, realPathOf, realRoots, through } from './descriptor.js';
import { errorCode, isMissing } from './failure.js';
import { type OpenedOutput } from './open-output.js';
import { notAllowed, type Publication, refused, tooLarge } from './publication.js';
import { type StoredFile } from './rules.js';

export interface FileTarget {
  readonly hostPath: string;
  /** Host paths of directories. */
  readonly roots: readonly string[];
}

/**
 * Modes follow the worker's umask. Throws output-not-allowed when a link leads out of the roots, output-refused when
 * something else is in the way, and errors of the file system.
 */
export async function publishToFile(
  { file: source }: OpenedOutput,
  target: FileTarget,
  publication: Publication,
): Promise<StoredFile> {
  const name = target.hostPath.slice(target.hostPath.lastIndexOf('/') + 1);
  if (name === '') throw refused(publication, 'the URL names a directory');
  const directory = await openTargetDirectory(target, publication);
  try {
    return await writeAndRename(source, directory, name, publication);
  } finally {
    await directory.close();
  }
}

async function writeAndRename(
  source: FileHandle,
  directory: FileHandle,
  name: string,
  publication: Publication,
): Promise<StoredFile> {
  const { signal, limitBytes } = publication;
  const limit = { bytes: limitBytes, exceeded: () => tooLarge(publication) };
  const temporary = through(directory, `.porin-${randomUUID()}.part`);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
  try {
    const stored = await writeHashed(readChunks(source, signal), file, limit, signal);
    await file.sync();
    await publication.beforeCommit();
    signal.throwIfAborted();
    // Replaces a link itself: what it points to stays as it is.
    await rename(temporary, through(directory, name)).catch((cause: unknown) => {
      throw isInTheWay(cause) ? refused(publication, 'its place is taken, or its name is too long', cause) : cause;
    });
    await syncDirectory(directory);
    return stored;
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}

/** Each directory is pinned and its real path checked before the next one is made in it: nothing is made outside. */
async function openTargetDirectory({ hostPath, roots }: FileTarget, publication: Publication): Promise<FileHandle> {
  const root = roots.find((path) => isWithin(hostPath, path) && hostPath !== path);
  if (root === undefined) throw notAllowed(publication);
  const real = await realRoots(roots);
  const parts = hostPath.slice(root.length).split('/').slice(0, -1);
  let place = await pin(root);
  try {
    await requireDirectoryWithin(place, real, publication);
    for (const part of parts.filter((text) => text !== '')) {
      const next = await makeAndPin(place, part, publication);
      await place.close();
      place = next;
      await requireDirectoryWithin(place, real, publication);
    }
    return place;
  } catch (error) {
    await place.close();
    throw error;
  }
}

async function makeAndPin(place: FileHandle, part: string, publication: Publication): Promise<FileHandle> {
  try {
    const made = mkdir(through(place, part)).then(() => syncDirectory(place));
    await made.catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
    return await pin(through(place, part));
  } catch (cause) {
    throw isMissing(cause) ? refused(publication, 'a part of its path cannot be a directory', cause) : cause;
  }
}

async function requireDirectoryWithin(place: FileHandle, roots: readonly string[], publication: Publication) {
  const realPath = await realPathOf(place);
  if (!roots.some((root) => isWithin(realPath, root))) throw notAllowed(publication);
  if (!(await place.stat()).isDirectory()) throw refused(publication, 'a part of its path is no directory');
}

function isInTheWay(error: unknown): boolean {
  return isMissing(error) || ['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '');
}

/** A pinned directory cannot be synchronised itself. */
async function syncDirectory(pinned: FileHandle): Promise<void> {
  const directory = await open(through(pinned), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
