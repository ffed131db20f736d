/** Where an instance of the stack keeps its state, and the short directory for its sockets. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { acquireLock } from '../setup/lock.js';
import { PORIN_DIR, ROOT } from '../setup/paths.js';
import { type DaemonPlace } from './daemon.js';

/**
 * `stack` is for start and demo, `portal` for the demo of that name, `test` for the tests, `bench` for the benches, the others for chaos, one for each of its
 * machines: they never touch each other.
 */
export const INSTANCE_NAMES = ['stack', 'portal', 'test', 'bench', 'chaos', 'chaos-1', 'chaos-2', 'chaos-3'] as const;
export type InstanceName = (typeof INSTANCE_NAMES)[number];

export interface Instance {
  readonly name: InstanceName;
  readonly directory: string;
  /** Below 40 characters, because a socket's path is bounded by 108. */
  readonly runDirectory: string;
  readonly lockFile: string;
}

/** Only names the paths; `makeDirectories` makes them. */
export function openInstance(name: InstanceName): Instance {
  const id = createHash('sha256').update(ROOT).digest('hex').slice(0, 8);
  const base = process.getuid?.() === 0 ? '/run' : process.env.XDG_RUNTIME_DIR || '/tmp';
  return {
    name,
    directory: join(PORIN_DIR, name),
    runDirectory: join(base, `porin-${id}-${name}`),
    lockFile: join(PORIN_DIR, `${name}.lock`),
  };
}

export function makeDirectories(instance: Instance): void {
  for (const path of [join(instance.directory, 'logs'), instance.runDirectory]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
}

/** One start or stop at a time. Returns the function that lets the next one go on. */
export function lockInstance(
  instance: Instance,
  log: (message: string) => void = () => undefined,
): Promise<() => Promise<void>> {
  return acquireLock(instance.lockFile, () => log('waiting for another command that starts or stops'));
}

/** `mark` is a path of this instance that stands in the daemon's command line. */
export function daemonPlace(instance: Instance, service: string, mark: string): DaemonPlace {
  return {
    mark,
    pidFile: join(instance.directory, `${service}.pid`),
    logFile: join(instance.directory, 'logs', `${service}.log`),
  };
}
