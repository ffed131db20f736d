/** The programs of the signal tests: each in its language makes calls that the kernel never interrupts, under constant signals. */
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Mount } from '#lib/execution';
import { compiledC, compiledGo } from '../native.js';

export interface SignalProgram {
  readonly name: string;
  /** Whose shell or interpreter it needs. */
  readonly image: 'busybox' | 'debian';
  readonly command: readonly string[];
}

const FOLDER = '/signals';
const STORM = `${FOLDER}/storm`;
const SCRIPT = `${FOLDER}/storm.sh`;

export const GO: SignalProgram = { name: 'Go', image: 'busybox', command: [`${FOLDER}/storm-go`, 'run', '10'] };

/**
 * The counts: enough for a supervisor that holds calls to change every output, in about a second without one. Go's alone it
 * does not change, because its runtime has every signal restart calls.
 */
export const SIGNAL_PROGRAMS: readonly SignalProgram[] = [
  inC('C, its calls', 'calls', '4000'),
  inC('C, its ends', 'ends', '300'),
  inC('C, its calls that the engine refuses', 'quiet', '20000'),
  { name: 'ash', image: 'busybox', command: ['ash', SCRIPT, '60'] },
  { name: 'bash', image: 'debian', command: ['bash', SCRIPT, '25'] },
  { name: 'Python', image: 'debian', command: ['python3', `${FOLDER}/storm.py`, '10'] },
  GO,
];

/** Makes next to no call: a profile that was learned from it has as few as one can. */
export const IDLE = inC('C, at no work', 'idle');

/** Of test/support/signals/storm.c, which lists the words. */
export function inC(name: string, ...words: readonly string[]): SignalProgram {
  return { name, image: 'busybox', command: [STORM, ...words] };
}

/** Puts them all into the directory, which everybody may read. */
export function signalMount(source: string): Mount {
  mkdirSync(source);
  const programs = {
    storm: compiledC('storm', 'test/support/signals/storm.c'),
    'storm-go': compiledGo('storm-go', 'test/support/signals/storm.go'),
    'storm.sh': join(import.meta.dirname, 'storm.sh'),
    'storm.py': join(import.meta.dirname, 'storm.py'),
  };
  for (const [name, path] of Object.entries(programs)) {
    copyFileSync(path, join(source, name));
    chmodSync(join(source, name), 0o755);
  }
  chmodSync(source, 0o755);
  return { source, target: FOLDER, readOnly: true };
}
