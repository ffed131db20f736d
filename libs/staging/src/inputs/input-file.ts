/** Files and directories that inputs are stored in, for every payload to read and none to write. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

export const READ_ONLY = 0o444;
export const READ_ONLY_DIRECTORY = 0o555;

/** A file that is there already is an error and stays. */
export function newInputFile(path: string): Promise<FileHandle> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}
