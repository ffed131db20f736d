/** Starts a background process of ours, knows it again later, and ends it. */
import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DaemonRecord {
  readonly pid: number;
  /** Text that the process's command line must contain: a path of this checkout. */
  readonly mark: string;
}

export interface DaemonOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly mark: string;
  readonly logFile: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Detached, so that it outlives this command; its output goes to `logFile`. */
export function startDaemon(options: DaemonOptions): DaemonRecord {
  const log = openSync(options.logFile, 'a', 0o600);
  const child = spawn(options.command, options.args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: options.environment ?? process.env,
  });
  child.on('error', () => undefined);
  child.unref();
  if (child.pid === undefined) throw new Error(`${options.command} could not be started; is it installed?`);
  return { pid: child.pid, mark: options.mark };
}

/** A pid alone proves nothing after a crash: the process must carry our mark and be no zombie. */
export function isOurs(record: DaemonRecord, readProc: (pid: number, file: string) => string = readProcFile): boolean {
  try {
    const state = readProc(record.pid, 'stat').replace(/^.*\) /s, '')[0];
    return state !== 'Z' && state !== 'X' && readProc(record.pid, 'cmdline').includes(record.mark);
  } catch {
    return false;
  }
}

function readProcFile(pid: number, file: string): string {
  return readFileSync(`/proc/${pid}/${file}`, 'utf8');
}

/** SIGTERM (or `signal`), then SIGKILL after `graceMs`. Returns when it is gone or a zombie. */
export async function stopDaemon(
  record: DaemonRecord,
  graceMs: number,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  for (const [step, waitMs] of [
    [signal, graceMs],
    ['SIGKILL', 10_000],
  ] as const) {
    if (!isOurs(record)) return;
    process.kill(record.pid, step);
    for (const deadline = Date.now() + waitMs; isOurs(record) && Date.now() < deadline;) await sleep(50);
  }
  if (isOurs(record)) throw new Error(`process ${record.pid} does not end`);
}

/** Polls until `probe` answers true; throws with the log's end when `record`'s process dies or time runs out. */
export async function waitUntilUp(
  what: string,
  options: { record: DaemonRecord; logFile: string; timeoutMs: number; probe: () => Promise<boolean> },
): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  while (!(await options.probe().catch(() => false))) {
    const dead = !isOurs(options.record);
    if (dead || Date.now() > deadline) {
      const log = readFileSync(options.logFile, 'utf8').trimEnd().split('\n').slice(-8).join('\n  ');
      throw new Error(
        `${what} ${dead ? 'ended at once' : 'does not answer'}; the end of ${options.logFile}:\n  ${log}`,
      );
    }
    await sleep(100);
  }
}
