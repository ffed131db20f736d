/**
 * What a supervisor (supervisor.sh) asks when its program is started again, and when it has ended. It is a program of its own so
 * that a supervisor, of which each program has one, needs no Node while it waits.
 *
 * `note-supervision.js <status file> <what was answered before, or ''> started` and
 * `note-supervision.js <status file> <what was answered before, or ''> ended <exit status as a shell has it> <seconds it ran>`:
 * answers a line with the seconds until the next start, and a line to be given back the next time.
 */
import { constants } from 'node:os';
import { writeSync } from 'node:fs';
import {
  afterEnd,
  afterStart,
  parseSupervision,
  readSupervision,
  type Supervision,
  writeSupervision,
} from './supervision.js';

const [statusFile = '', before = '', event, status, seconds] = process.argv.slice(2);
const STDERR = 2;
/** Of a shell: what ended by signal n has this and n. */
const KILLED = 128;

/** By no stream: one that has failed once, on a full disk, raises errors. */
function say(text: string): void {
  try {
    writeSync(STDERR, `supervisor: ${text}\n`);
  } catch {
    // Nobody can be told.
  }
}

function howItEnded(exitStatus: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === exitStatus - KILLED)?.[0];
  return signal === undefined ? `exit code ${exitStatus}` : `killed by ${signal}`;
}

/** Kept by the shell too: where it cannot be written, as on a full disk, the program is still started again. */
function tell(supervision: Supervision, pauseMs: number): void {
  try {
    writeSupervision(statusFile, supervision);
  } catch (error) {
    say(`its status cannot be written: ${(error as Error).message}`);
  }
  process.stdout.write(`${pauseMs / 1000}\n${JSON.stringify(supervision)}\n`);
}

const known = before === '' ? readSupervision(statusFile) : parseSupervision(before);
if (event === 'started') {
  tell(afterStart(known), 0);
} else {
  const how = howItEnded(Number(status));
  const { after, pauseMs } = afterEnd(known, { atMs: Date.now(), ranMs: 1000 * Number(seconds), how });
  say(`the program ended (${how}); it is started again in ${pauseMs / 1000} s`);
  tell(after, pauseMs);
}
