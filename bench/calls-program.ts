/** calls.c as a program of the bench: compiled, and alone in an image. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { findImage, importRoot } from '../scripts/images/engine.js';
import { CACHE_DIR, ROOT } from '../scripts/setup/paths.js';
import { type BenchProgram } from './bench-runs.js';
import { CALLS, type CallName } from './enforce-report.js';

const SOURCE = join(ROOT, 'bench/calls.c');
const REFERENCE = 'porin/bench-calls:1';
const COMPILER = ['cc', '-O2', '-Wall', '-Wextra', '-Werror', '-static'] as const;

export async function buildCallsProgram(docker: Docker): Promise<BenchProgram> {
  const inputs = createHash('sha256').update(COMPILER.join(' ')).update(readFileSync(SOURCE)).digest('hex');
  const { imageId } = (await findImage(docker, REFERENCE, inputs)) ?? (await importCalls(docker, inputs));
  return { name: 'calls', imageId, command: ['/calls'], environment: {}, inputs: [] };
}

async function importCalls(docker: Docker, inputs: string) {
  mkdirSync(CACHE_DIR, { recursive: true });
  const work = mkdtempSync(join(CACHE_DIR, 'calls-'));
  try {
    const root = join(work, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    mkdirSync(join(root, 'tmp'));
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
    const [compiler, ...flags] = COMPILER;
    execFileSync(compiler, [...flags, '-o', join(root, 'calls'), SOURCE]);
    const tar = join(work, 'root.tar');
    execFileSync('tar', ['--create', '--file', tar, '--directory', root, '--owner=0', '--group=0', '.']);
    return await importRoot(docker, { tar, reference: REFERENCE, inputs, changes: ['CMD ["/calls"]'] });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @throws Error for anything but one line `<call> <ns>` for each call */
export function parseCalls(stdout: string): Readonly<Record<CallName, number>> {
  const entries = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const nsPerCall = Object.fromEntries(entries.map(([name = '', ns]) => [name, Number(ns)]));
  if (entries.length !== CALLS.length || CALLS.some((call) => !((nsPerCall[call] ?? NaN) > 0))) {
    throw new Error(`calls printed something else than times: ${stdout}`);
  }
  return nsPerCall as Record<CallName, number>;
}
