/** Files that nobody but the program's own user may read. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { ConfigError } from './load.js';

/** What a setting that names such a file is refused with, in words that follow the file's path. */
export function fileRefusal(variable: string, path: string): (problem: string) => ConfigError {
  return (problem) => new ConfigError([`${variable}: ${path} ${problem}`]);
}

/** Of the file that was looked at, whatever comes to its path meanwhile. Throws what `refuse` makes. */
export function readPrivateFile(path: string, refuse: (problem: string) => ConfigError): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw refuse(`cannot be opened (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
  try {
    const { mode } = fstatSync(file);
    if ((mode & 0o077) !== 0) {
      throw refuse(`is open to other users (mode ${(mode & 0o777).toString(8).padStart(4, '0')}): run chmod 600`);
    }
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}
