/** What every run may do with files whatever its profile says, with the reason for each; no profile repeats it. */
import { type FileRight, type FileRule } from '../model/files.js';

export interface AlwaysGranted extends FileRule {
  readonly reason: string;
}

const always = (path: string, rights: readonly FileRight[], reason: string): AlwaysGranted => ({
  path,
  rights,
  reason,
});

export const ALWAYS_GRANTED: readonly AlwaysGranted[] = [
  always('{inputs}', ['read'], "the job's inputs are there to be read"),
  always('{outputs}', ['read', 'write', 'create'], "the job's outputs are collected from there"),
  always('{temporary}', ['read', 'write', 'create'], 'scratch of this run alone, gone with it'),
  always('/dev/null', ['read', 'write'], 'holds nothing'),
  always('/dev/zero', ['read', 'write'], 'holds nothing; memory is mapped from it'),
  always('/dev/random', ['read'], 'random numbers, where getrandom is not used'),
  always('/dev/urandom', ['read'], 'random numbers, where getrandom is not used'),
  // The child of porin-init opens it before it executes the payload, as which it lives on: its own directory, and no other.
  always(
    '/proc/self',
    ['read'],
    "what the payload's first process may know of itself; C libraries look up stack and limits",
  ),
  always('/proc/cpuinfo', ['read'], 'libraries choose their code by the processor, so it differs from node to node'),
  always('/proc/meminfo', ['read'], 'libraries size their buffers by it, if the input is large enough'),
  always('/proc/stat', ['read'], 'the number of processors, where /sys does not tell'),
  always('/proc/sys/vm/overcommit_memory', ['read'], 'glibc reads it when it first gives memory back'),
  always('/sys/devices/system/cpu', ['read'], 'one directory for each processor, so it differs from node to node'),
];
