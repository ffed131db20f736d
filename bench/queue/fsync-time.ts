/** How long the disk of the database takes to keep one page. */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const PAGE_BYTES = 8192;
const TIMES = 200;

/** Milliseconds of each of many writes of a page of 8 KiB and its fsync, in the directory. */
export function fsyncTimesMs(directory: string): readonly number[] {
  const path = join(directory, 'porin-bench-fsync');
  const page = Buffer.alloc(PAGE_BYTES, 1);
  const file = openSync(path, 'w', 0o600);
  try {
    return Array.from({ length: TIMES }, () => {
      const startedAt = performance.now();
      writeSync(file, page, 0, PAGE_BYTES, 0);
      fsyncSync(file);
      return performance.now() - startedAt;
    });
  } finally {
    closeSync(file);
    rmSync(path);
  }
}
