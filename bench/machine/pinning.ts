/** Keeps the bench and all that it starts off the payload's core. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseCpuList, shareCpus, type CpuShares } from './cpu-list.js';
import { statusField } from './environment.js';

/**
 * Every thread of this process; what it starts from now on, the private container engine above all, inherits it. A
 * container with a cpuset does not: the kernel takes a mask back that has no CPU in common with the cpuset (cpuset(7)).
 */
export function pinEverythingElse(): CpuShares {
  const allowed = parseCpuList(statusField(readFileSync('/proc/self/status', 'utf8'), 'Cpus_allowed_list'));
  const shares = shareCpus(allowed);
  execFileSync('taskset', ['-a', '-c', '-p', shares.rest.join(','), String(process.pid)], { stdio: 'ignore' });
  return shares;
}
