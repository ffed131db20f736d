/** What a node remembers of its uploads under way: a file each, by the staged name, so that they are aborted after a crash too. */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { pin } from '../file/descriptor.js';
import { isMissing } from '../failure.js';
import { openStaged, removeStaged, stagedPath, syncDirectory } from '../outputs/staged-file.js';
import { MAXIMUM_UPLOAD_ID } from './upload.js';

/** `temporary` is a staged name, as for all of these. Throws where there is one of that name. */
export async function recordUpload(sendDirectory: string, temporary: string, uploadId: string): Promise<void> {
  await mkdir(sendDirectory, { recursive: true, mode: 0o700 });
  await inDirectory(sendDirectory, async (directory) => {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const path = stagedPath(directory, temporary);
    const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      await file.writeFile(uploadId);
      await file.sync();
      await syncDirectory(directory);
    } finally {
      await file.close();
    }
  });
}

/** Undefined where this node has begun none of that name, or has no record of it any more. */
export function recordedUpload(sendDirectory: string, temporary: string): Promise<string | undefined> {
  return inDirectory(sendDirectory, async (directory) => {
    const file = await openStaged(directory, temporary);
    if (file === undefined) return undefined;
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(MAXIMUM_UPLOAD_ID), 0, MAXIMUM_UPLOAD_ID, 0);
      // Empty after a crash before it was written.
      return bytesRead === 0 ? undefined : buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  });
}

export async function forgetUpload(sendDirectory: string, temporary: string): Promise<void> {
  await inDirectory(sendDirectory, (directory) => removeStaged(directory, temporary));
}

async function inDirectory<T>(path: string, work: (directory: FileHandle) => Promise<T>): Promise<T | undefined> {
  const directory = await pin(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  try {
    return directory && (await work(directory));
  } finally {
    await directory?.close();
  }
}
