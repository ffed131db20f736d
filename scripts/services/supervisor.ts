/**
 * A process of its own that owns one program, the API or a worker: starts it, and starts it again whenever it ends.
 * `node supervisor.js <status file> <program> <argument>...`; a signal ends the program, and then this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEnd, afterStart, readSupervision, writeSupervision } from './supervision.js';

const [statusFile = '', ...command] = process.argv.slice(2);
const stopping = new AbortController();
let program: ChildProcess | undefined;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopping.abort();
    program?.kill(signal);
  });
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

while (!stopping.signal.aborted) {
  writeSupervision(statusFile, afterStart(readSupervision(statusFile)));
  const startedAt = performance.now();
  const how = await runOnce();
  if (stopping.signal.aborted) break;
  const end = { atMs: Date.now(), ranMs: performance.now() - startedAt, how };
  const { after, pauseMs } = afterEnd(readSupervision(statusFile), end);
  writeSupervision(statusFile, after);
  console.error(`supervisor: the program ended (${how}); it is started again in ${pauseMs / 1000} s`);
  await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
}
