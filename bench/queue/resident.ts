/** The memory of the programs of a stack, and of the supervisors that they have. */
import { readFileSync } from 'node:fs';
import { runningDaemon } from '../../scripts/services/daemon.js';
import { type Instance } from '../../scripts/services/instance.js';
import { PROGRAMS } from '../../scripts/services/programs.js';
import { PROGRAM_NAMES } from '../../scripts/services/stack.js';
import { statusField } from '../machine/environment.js';

/** Resident set sizes (VmRSS of proc_pid_status(5)), so that pages that processes share are counted for each. */
export function residentBytes(instance: Instance): Readonly<Record<string, number>> {
  const bytes: Record<string, number> = { supervisor: 0 };
  for (const name of PROGRAM_NAMES) {
    const supervisor = runningDaemon(PROGRAMS[name].place(instance))?.pid;
    if (supervisor === undefined) throw new Error(`the ${name} does not run`);
    bytes.supervisor = (bytes.supervisor ?? 0) + rssBytes(supervisor);
    const children = readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8').trim().split(' ');
    bytes[name] = children.reduce((sum, pid) => sum + rssBytes(Number(pid)), 0);
  }
  return bytes;
}

function rssBytes(pid: number): number {
  return 1024 * parseInt(statusField(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS'));
}
