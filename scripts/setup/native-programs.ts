/** Builds porin-init and porin-recorder into .porin/native when their sources changed. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Check, SetupError } from './check.js';
import { NATIVE_DIR, ROOT } from './paths.js';

const SOURCES = join(ROOT, 'native');
const STAMP = join(NATIVE_DIR, '.sources-sha256');

export const nativePrograms: Check = {
  name: 'native programs',
  have: () =>
    existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sourcesDigest() && isProgram(join(NATIVE_DIR, 'porin-init')),
  install: (log) => {
    log('building the native programs');
    mkdirSync(NATIVE_DIR, { recursive: true });
    rmSync(STAMP, { force: true });
    // A kernel without BTF types cannot have the recorder; all else works there, so its failure alone is no error.
    const built = spawnSync('make', ['--silent', '--keep-going', '--always-make', '-C', SOURCES, `OUT=${NATIVE_DIR}`], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (!isProgram(join(NATIVE_DIR, 'porin-init'))) throw new SetupError('porin-init could not be built; see above');
    if (built.status !== 0) {
      if (existsSync('/sys/kernel/btf/vmlinux')) throw new SetupError('`make -C native` failed; see above');
      log('this kernel shows no types (/sys/kernel/btf/vmlinux), so this node records no system calls');
    }
    writeFileSync(STAMP, sourcesDigest());
  },
};

function sourcesDigest(): string {
  const hash = createHash('sha256');
  for (const entry of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/(\.[ch]|Makefile)$/.test(entry)) hash.update(`${entry}\0`).update(readFileSync(join(SOURCES, entry)));
  }
  return hash.digest('hex');
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
