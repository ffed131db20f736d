/** The default ceiling: calls that no profile grants, learned or not, unless an administrator takes the name out. */
import { callClass, KNOWN_CALLS } from '../kernel/families.js';

/** Dangerous calls that a profile may hold once an administrator has approved it: they stay within the payload. */
const APPROVABLE: ReadonlySet<string> = new Set(['clone3', 'kcmp', 'process_vm_readv', 'process_vm_writev', 'ptrace']);

/**
 * Sorted. A recording of an untrusted program can be poisoned, so what is here is refused at every enforcement, `none`
 * included. Calls that only one architecture has are in the same list.
 */
export const DEFAULT_CEILING: readonly string[] = KNOWN_CALLS.filter(
  (name) => callClass(name) === 'dangerous' && !APPROVABLE.has(name),
);
