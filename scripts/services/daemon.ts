/** Starts a background process of ours, knows it again later, and ends it. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What names a daemon before it runs and after it was lost. */
export interface DaemonPlace {
  readonly pidFile: string;
  readonly logFile: string;
  /** Text that the process's command line must contain: a path of this checkout. */
  readonly mark: string;
}

export interface DaemonRecord {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: tells it from a later process with the same pid. */
  readonly startTicks: number;
  readonly mark: string;
}

type ReadProc = (pid: number, file: 'stat' | 'cmdline') => string;

/** Detached, so that it outlives this command; its output goes to the log file, the last run's to `<log file>.1`. */
export function startDaemon(
  place: DaemonPlace,
  command: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): DaemonRecord {
  keepLastLog(place.logFile);
  const log = openSync(place.logFile, 'a', 0o600);
  const [program = '', ...args] = command;
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], env: environment });
  closeSync(log);
  child.on('error', () => undefined);
  child.unref();
  if (child.pid === undefined) throw new Error(`${program} could not be started; is it installed?`);
  const startTicks = parseStat(readProcFile(child.pid, 'stat')).startTicks;
  writeFileSync(place.pidFile, `${child.pid} ${startTicks}\n`, { mode: 0o600 });
  return { pid: child.pid, startTicks, mark: place.mark };
}

/** The daemon that the pid file names, if it still is that one. */
export function runningDaemon(place: DaemonPlace): DaemonRecord | undefined {
  const [pid, startTicks] = readText(place.pidFile).split(' ').map(Number);
  if (!pid || !startTicks) return undefined;
  const record = { pid, startTicks, mark: place.mark };
  return isOurs(record) ? record : undefined;
}

/** A pid alone proves nothing after a crash: it must be the same process, carry our mark and be no zombie. */
export function isOurs(record: DaemonRecord, readProc: ReadProc = readProcFile): boolean {
  try {
    const { state, startTicks } = parseStat(readProc(record.pid, 'stat'));
    if (state === 'Z' || state === 'X' || startTicks !== record.startTicks) return false;
    const commandLine = readProc(record.pid, 'cmdline');
    // Empty for a moment while a living process executes a program.
    return commandLine === '' || commandLine.includes(record.mark);
  } catch {
    return false;
  }
}

/** The name of the program, between parentheses, may itself hold parentheses and spaces (proc(5)). */
export function parseStat(stat: string): { state: string; parent: number; group: number; startTicks: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    group: Number(fields[2]),
    startTicks: Number(fields[19]),
  };
}

/**
 * SIGTERM (or `signal`), then after `graceMs` SIGKILL for it and whatever of its process group carries its mark: what it
 * supervises may be past hearing a signal. Returns when all of them are gone or zombies.
 */
export async function stopDaemon(
  record: DaemonRecord,
  graceMs: number,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  // Of a supervisor that is gone, the kernel has told its program.
  if (isOurs(record)) kill(record.pid, signal);
  if (await isGone(record, graceMs)) return;
  for (const pid of groupOf(record)) kill(pid, 'SIGKILL');
  if (!(await isGone(record, 10_000))) throw new Error(`process ${record.pid} does not end`);
}

async function isGone(record: DaemonRecord, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; ; await sleep(50)) {
    if (groupOf(record).length === 0) return true;
    if (Date.now() > deadline) return false;
  }
}

/** The daemon itself, and those of its process group that carry its mark. */
function groupOf(record: DaemonRecord): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => (pid === record.pid ? isOurs(record) : isOfGroup(pid, record)));
}

function isOfGroup(pid: number, { pid: group, mark }: DaemonRecord): boolean {
  try {
    const stat = parseStat(readProcFile(pid, 'stat'));
    if (stat.group !== group || /[ZX]/.test(stat.state)) return false;
    const commandLine = readProcFile(pid, 'cmdline');
    // One that is ending has lost its command line.
    return commandLine === '' || commandLine.includes(mark);
  } catch {
    return false;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** Polls until `probe` answers true; throws with the log's end when the process dies or time runs out. */
export async function waitUntilUp(
  what: string,
  options: {
    record: DaemonRecord;
    logFile: string;
    timeoutMs: number;
    probe: () => Promise<boolean>;
    /** Of what the process supervises: it ends again and again. */
    hasFailed?: () => boolean;
  },
): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  while (!(await options.probe().catch(() => false))) {
    const dead = !isOurs(options.record) || (options.hasFailed?.() ?? false);
    if (dead || Date.now() > deadline) {
      const end = readText(options.logFile).trimEnd().split('\n').slice(-8).join('\n  ');
      throw new Error(
        `${what} ${dead ? 'ended at once' : 'does not answer'}; the end of ${options.logFile}:\n  ${end}`,
      );
    }
    await sleep(100);
  }
}

export function readProcFile(pid: number, file: 'stat' | 'cmdline'): string {
  return readFileSync(`/proc/${pid}/${file}`, 'utf8');
}

function keepLastLog(logFile: string): void {
  rmSync(`${logFile}.1`, { force: true });
  if (readText(logFile) !== '') renameSync(logFile, `${logFile}.1`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
