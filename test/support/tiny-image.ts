/** An image of the same bytes on every machine, so that a stored profile of its program holds wherever the tests run. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tarOf } from '#lib/execution';
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

export async function importTinyImage(docker: Docker): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'porin-tiny-'));
  const tar = join(directory, 'root.tar');
  try {
    writeFileSync(
      tar,
      tarOf([
        ...['bin/', 'tmp/'].map((name) => ({ name, mode: 0o755 })),
        ...['bin/tiny', 'bin/other'].map((name) => ({ name, mode: 0o755, contents: PROGRAM })),
      ]),
    );
    await importRoot(docker, { tar, reference: TINY_REFERENCE, inputs: 'tiny-1', changes: ['CMD ["/bin/tiny"]'] });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
