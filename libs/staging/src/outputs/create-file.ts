/** Makes a file where a payload may write, without following what an earlier payload left there. */
import { constants } from 'node:fs';
import { chown, type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { JobError } from '#lib/jobs';
import { pin, pinEntry, through } from '../file/descriptor.js';
import { errorCode, isMissing } from '../failure.js';
import { type OutputSource } from './open-output.js';

/** Of the payload. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o700;

/**
 * Empty, of the owner, and open for writing. What had its name is removed, a link itself; directories that are missing are made.
 * `path` is the container's, for messages. Throws standard-output, and errors of the file system.
 */
export async function createFile(
  { directory, name }: OutputSource,
  path: string,
  owner: FileOwner,
): Promise<FileHandle> {
  const parts = name.split('/');
  const file = parts.pop() ?? '';
  let place = await pin(directory);
  try {
    for (const part of parts) {
      const next = await enter(place, part, owner);
      await place.close();
      place = next;
      if (!(await place.stat()).isDirectory()) throw refuse(path, 'a part of the path is no directory');
    }
    return await replace(place, file, path, owner);
  } finally {
    await place.close();
  }
}

async function enter(place: FileHandle, part: string, owner: FileOwner): Promise<FileHandle> {
  try {
    return await pinEntry(place, part);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await mkdir(through(place, part), DIRECTORY_MODE);
  await chown(through(place, part), owner.uid, owner.gid);
  return pinEntry(place, part);
}

async function replace(place: FileHandle, name: string, path: string, owner: FileOwner): Promise<FileHandle> {
  await unlink(through(place, name)).catch((cause: unknown) => {
    if (errorCode(cause) === 'EISDIR') throw refuse(path, 'it is a directory');
    if (!isMissing(cause)) throw cause;
  });
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = await open(through(place, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE).catch(
    (cause: unknown) => {
      throw errorCode(cause) === 'ENOSPC' ? refuse(path, 'the disk of the job is full', cause) : cause;
    },
  );
  await file.chown(owner.uid, owner.gid);
  return file;
}

function refuse(path: string, detail: string, cause?: unknown): JobError {
  return JobError.of('standard-output', { path, detail }, { cause });
}
