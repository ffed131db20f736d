/** Which errno a refused call gets: the one that it gets while its program is learned, wherever that is decided. */
import { engineErrno } from '../kernel/engine-default.js';
import { guardOf } from './guards.js';

/**
 * Calls that the engine's default allows and whose refusal is about permission. libc falls back from a newer call only on
 * ENOSYS (an EPERM for clone3 breaks thread creation), so a call is here only if every supported kernel has it, no library
 * has another way to try, and "Operation not permitted" is what the program's author must read.
 */
export const EPERM_CALLS: readonly string[] = [
  ...['execve', 'socket', 'connect', 'ptrace', 'capset', 'adjtimex'],
  ...['setuid', 'setgid', 'setreuid', 'setregid', 'setresuid', 'setresgid', 'setgroups'],
];

/** A guard's own errno comes first, then the engine's, which a program meets in every other container too. */
export function refusalErrno(name: string): 'EPERM' | 'ENOSYS' {
  return guardOf(name)?.errno ?? engineErrno(name) ?? (EPERM_CALLS.includes(name) ? 'EPERM' : 'ENOSYS');
}
