/**
 * A process of its own that owns one program, the API, the dispatcher or a worker: starts it, and starts it again whenever it ends.
 * `node supervisor.js <status file> <program> <argument>...`; a signal ends the program, and then this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEnd, afterStart, readSupervision, type Supervision, writeSupervision } from './supervision.js';

const [statusFile = '', ...command] = process.argv.slice(2);
const STDERR = 2;
const stopping = new AbortController();
let program: ChildProcess | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopping.abort();
    program?.kill(signal);
  });
}

/** By no stream: one that has failed once, on a full disk, raises errors and never writes again. */
function say(text: string): void {
  try {
    writeSync(STDERR, `supervisor: ${text}\n`);
  } catch {
    // Nobody can be told.
  }
}

/** How the program ended, in words. */
async function runOnce(): Promise<string> {
  // When this process is killed, the kernel ends the program too: two of them must not run at once.
  program = spawn('setpriv', ['--pdeathsig', 'TERM', process.execPath, ...command], { stdio: 'inherit' });
  try {
    const [code, signal] = (await once(program, 'exit')) as [number | null, NodeJS.Signals | null];
    return signal === null ? `exit code ${code}` : `killed by ${signal}`;
  } catch (error) {
    return `it could not be started: ${(error as Error).message}`;
  } finally {
    program = undefined;
  }
}

/** Kept here too: where it cannot be written, as on a full disk, the program is still started again. */
let supervision = readSupervision(statusFile);
function tell(next: Supervision): void {
  supervision = next;
  try {
    writeSupervision(statusFile, next);
  } catch (error) {
    say(`its status cannot be written: ${(error as Error).message}`);
  }
}

while (!stopping.signal.aborted) {
  tell(afterStart(supervision));
  const startedAt = performance.now();
  const how = await runOnce();
  if (stopping.signal.aborted) break;
  const end = { atMs: Date.now(), ranMs: performance.now() - startedAt, how };
  const { after, pauseMs } = afterEnd(supervision, end);
  tell(after);
  say(`the program ended (${how}); it is started again in ${pauseMs / 1000} s`);
  await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
}
