/** Which calls a profile may refuse quietly: those that the engine refuses anyway, and probes that programs live without. */
import { DEFAULT_CEILING } from '../filter/ceiling.js';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { type Architecture } from '../model/profile.js';

/** Programs ask for these to see whether the kernel has them, and go on without. */
const PROBES: readonly string[] = ['clone3', 'io_uring_setup', 'rseq'];

/** Whoever calls one of these is to be reported. */
const NEVER_QUIET: readonly string[] = [
  ...DEFAULT_CEILING,
  ...['kcmp', 'process_vm_readv', 'process_vm_writev', 'ptrace'],
];

export function mayBeQuiet(name: string, architecture: Architecture): boolean {
  if (PROBES.includes(name)) return true;
  return !engineDefaultNames(architecture).includes(name) && !NEVER_QUIET.includes(name);
}
