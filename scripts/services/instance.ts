/** Where an instance of the stack keeps its state, and the short directory for its sockets. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** The checkout; every command runs in it. */
export const ROOT = process.cwd();
export const PORIN_DIR = join(ROOT, '.porin');

/** `stack` is for start and demo, `test` for the tests: they never touch each other. */
export type InstanceName = 'stack' | 'test';

export interface Instance {
  readonly name: InstanceName;
  readonly directory: string;
  /** Below 40 characters, because a socket's path is bounded by 108. */
  readonly runDirectory: string;
  readonly logDirectory: string;
}

export function openInstance(name: InstanceName): Instance {
  const directory = join(PORIN_DIR, name);
  const logDirectory = join(directory, 'logs');
  mkdirSync(logDirectory, { recursive: true, mode: 0o700 });
  const id = createHash('sha256').update(ROOT).digest('hex').slice(0, 8);
  const base = process.getuid?.() === 0 ? '/run' : (process.env.XDG_RUNTIME_DIR ?? '/tmp');
  const runDirectory = join(base, `porin-${id}-${name}`);
  mkdirSync(runDirectory, { recursive: true, mode: 0o700 });
  return { name, directory, runDirectory, logDirectory };
}
