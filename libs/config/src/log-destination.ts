/** Where the programs write their logs: a full disk or a reader that is gone costs lines, and never the program. */
import { writeSync } from 'node:fs';
import { visibleJson } from '#lib/profiles';

const STDOUT = 1;
/** While a pipe is full: its reader is behind, or hangs. */
const TRIES = 100;
const PAUSE_MS = 10;

/** A destination of pino, whose lines are JSON: no name in them can hide another. Pino's own would raise an error that nothing catches, and then hang in process.exit. */
export interface LogDestination {
  write(text: string): void;
}

export function logDestination(fd = STDOUT): LogDestination {
  return {
    write(text) {
      writeWhole(fd, Buffer.from(visibleJson(text)));
    },
  };
}

/** Without what could not be written. */
function writeWhole(fd: number, bytes: Buffer): void {
  for (let written = 0, tries = 0; written < bytes.length && tries < TRIES;) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      tries += 1;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
