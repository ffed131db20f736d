/** The architecture of the machine that a program of ours runs on, in the words of profiles. */
import { type Architecture } from '../model/profile.js';

const BY_PROCESS_ARCH: ReadonlyMap<string, Architecture> = new Map([
  ['x64', 'x86_64'],
  ['arm64', 'aarch64'],
]);

/**
 * `processArch`: as Node names it, `process.arch`.
 *
 * @throws RangeError for one without a syscall table
 */
export function nodeArchitecture(processArch: string): Architecture {
  const architecture = BY_PROCESS_ARCH.get(processArch);
  if (architecture !== undefined) return architecture;
  throw new RangeError(
    `Porin has no system call table of "${processArch}": it runs on ${[...BY_PROCESS_ARCH.keys()].join(' and ')}.`,
  );
}
