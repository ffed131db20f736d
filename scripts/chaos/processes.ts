/** Signals to processes that were found by what they descend from; one that has ended is no error. */
import { readFileSync } from 'node:fs';
import { type DaemonPlace, parseStat, readProcFile, runningDaemon } from '../services/daemon.js';

/** The process and all below it, itself first. */
export function treeOf(pid: number): readonly number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

export function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The one below the process whose command line has the text. */
export function findBelow(pid: number, text: string): number | undefined {
  return treeOf(pid)
    .slice(1)
    .find((each) => commandLine(each).includes(text));
}

function commandLine(pid: number): string {
  try {
    return readProcFile(pid, 'cmdline');
  } catch {
    return '';
  }
}

export function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ESRCH') throw error;
    }
  }
}

/** Stops them all, and goes on with those that are still the same processes. */
export function freeze(pids: readonly number[]): () => void {
  const marks = pids.map((pid) => startOf(pid));
  signal(pids, 'SIGSTOP');
  return () =>
    signal(
      pids.filter((pid, index) => startOf(pid) === marks[index]),
      'SIGCONT',
    );
}

/** Tells it from a later process with the same pid; undefined for one that is gone. */
function startOf(pid: number): number | undefined {
  try {
    return parseStat(readProcFile(pid, 'stat')).startTicks;
  } catch {
    return undefined;
  }
}

/** @throws Error when it does not run */
export function pidOf(place: DaemonPlace): number {
  const record = runningDaemon(place);
  if (!record) throw new Error(`nothing runs of ${place.pidFile}`);
  return record.pid;
}
