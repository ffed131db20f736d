/** A metadata-heavy program of the bench: tar, of many small files. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchProgram, OUTPUT_DIRECTORY } from '../runs/bench-runs.js';

export const FILES = 20_000;
/** As many paths as a recording can hold are not what a profile is learned from. */
const FILES_TO_LEARN_FROM = 500;
const FILES_PER_DIRECTORY = 100;
const FILE_BYTES = 4096;
const INPUT = '/input/files';

export interface TarPrograms {
  readonly measured: BenchProgram;
  /** The same program on fewer files. */
  readonly learnedFrom: BenchProgram;
}

/** `imageId` has a tar; `directory` is in memory. */
export function prepareTarPrograms(imageId: string, directory: string): TarPrograms {
  const programOn = (files: number): BenchProgram => ({
    name: 'tar',
    imageId,
    // To /dev/null it would not even open what it archives.
    command: ['tar', '--create', '--file', `${OUTPUT_DIRECTORY}/files.tar`, '--directory', INPUT, '.'],
    environment: {},
    inputs: [{ source: makeFiles(join(directory, `files-${files}`), files), target: INPUT, readOnly: true }],
  });
  return { measured: programOn(FILES), learnedFrom: programOn(FILES_TO_LEARN_FROM) };
}

function makeFiles(root: string, count: number): string {
  const content = Buffer.alloc(FILE_BYTES, 'porin\n');
  mkdirSync(root, { mode: 0o755 });
  for (let file = 0; file < count; file += 1) {
    const folder = join(root, `folder-${Math.floor(file / FILES_PER_DIRECTORY)}`);
    if (file % FILES_PER_DIRECTORY === 0) mkdirSync(folder, { mode: 0o755 });
    writeFileSync(join(folder, `file-${file}`), content, { mode: 0o444 });
  }
  return root;
}
