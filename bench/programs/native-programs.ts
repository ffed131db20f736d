/** calls.c and threads.c as programs of the benches: compiled, and alone in an image. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { findImage, importRoot } from '../../scripts/images/engine.js';
import { CACHE_DIR, ROOT } from '../../scripts/setup/paths.js';
import { type BenchProgram } from '../runs/bench-runs.js';
import { CALLS_PROGRAM, REFUSED_PROGRAM } from './program-names.js';

const SOURCES = ['calls', 'threads'] as const;
const REFERENCE = 'porin/bench-native:1';
const COMPILER = ['cc', '-O2', '-Wall', '-Wextra', '-Werror', '-static', '-pthread'] as const;

export interface NativePrograms {
  /** Measures the calls that it is given. */
  readonly calls: (calls: readonly string[]) => BenchProgram;
  readonly refused: (calls: readonly string[]) => BenchProgram;
  readonly threads: BenchProgram;
}

export async function buildNativePrograms(docker: Docker): Promise<NativePrograms> {
  const hash = createHash('sha256').update(COMPILER.join(' '));
  for (const source of SOURCES) hash.update(`\0${source}\0`).update(readFileSync(sourcePath(source)));
  const inputs = hash.digest('hex');
  const { imageId } = (await findImage(docker, REFERENCE, inputs)) ?? (await importPrograms(docker, inputs));
  const program = (name: string, ...command: readonly string[]) => ({
    name,
    imageId,
    command,
    environment: {},
    inputs: [],
  });
  return {
    calls: (calls) => ({ ...program(CALLS_PROGRAM, '/calls', ...calls), calls }),
    refused: (calls) => ({ ...program(REFUSED_PROGRAM, '/calls', ...calls), calls }),
    threads: program('threads', '/threads'),
  };
}

async function importPrograms(docker: Docker, inputs: string) {
  mkdirSync(CACHE_DIR, { recursive: true });
  const work = mkdtempSync(join(CACHE_DIR, 'native-'));
  try {
    const root = join(work, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    mkdirSync(join(root, 'tmp'));
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
    const [compiler, ...flags] = COMPILER;
    for (const source of SOURCES) execFileSync(compiler, [...flags, '-o', join(root, source), sourcePath(source)]);
    const tar = join(work, 'root.tar');
    execFileSync('tar', ['--create', '--file', tar, '--directory', root, '--owner=0', '--group=0', '.']);
    return await importRoot(docker, { tar, reference: REFERENCE, inputs, changes: ['CMD ["/calls"]'] });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function sourcePath(name: (typeof SOURCES)[number]): string {
  return join(ROOT, 'bench/programs', `${name}.c`);
}
