/** An image of the same bytes on every machine, so that a stored profile of its program holds wherever the tests run. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { importRoot } from '../../scripts/images/engine.js';

export const TINY_REFERENCE = 'porin/tiny:1';

/** An ELF file for x86_64 of 175 bytes: prints "ok"; with an argument it waits for ever. */
const PROGRAM = Buffer.from(
  'f0VMRgIBAQAAAAAAAAAAAAIAPgABAAAAeABAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAEAAOAABAAAAAAAAAAEAAAAFAAAAAAAAAAAAAAAA' +
    'AEAAAAAAAAAAQAAAAAAArwAAAAAAAACvAAAAAAAAAAAQAAAAAAAASIsMJEiD+QF1IbgBAAAAvwEAAABIjTUZAAAAugMAAAAPBbjnAAAAMf8P' +
    'BbgiAAAADwXr929rCg==',
  'base64',
);
const BLOCK = 512;

export async function importTinyImage(docker: Docker): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'porin-tiny-'));
  const tar = join(directory, 'root.tar');
  try {
    writeFileSync(
      tar,
      Buffer.concat([
        ...['bin/', 'tmp/'].map((name) => entry(name, Buffer.alloc(0), 0o755)),
        ...['bin/tiny', 'bin/other'].map((name) => entry(name, PROGRAM, 0o755)),
        Buffer.alloc(2 * BLOCK),
      ]),
    );
    await importRoot(docker, { tar, reference: TINY_REFERENCE, inputs: 'tiny-1', changes: ['CMD ["/bin/tiny"]'] });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** One file or folder of a tar (POSIX ustar), root's, of the year 1970. */
function entry(name: string, contents: Buffer, mode: number): Buffer {
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(contents.length, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(' '.repeat(8), 148);
  header.write(name.endsWith('/') ? '5' : '0', 156);
  header.write('ustar\x0000', 257);
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
  );
  return Buffer.concat([header, contents, Buffer.alloc((BLOCK - (contents.length % BLOCK)) % BLOCK)]);
}
