/** The class of a denial: what its call would have given, whatever ABI and number it was made with. */
import { isQuietlyRefusable } from '../kernel/engine-default.js';
import { callClass, type CallClass } from '../kernel/families.js';
import { syscallName } from '../kernel/syscalls.js';
import { ARCHITECTURES, type Architecture } from '../model/profile.js';

/** What of a denial decides its class. */
export interface DeniedCall {
  /** Its name; FILE_CALL for a use of a file. */
  readonly call: string;
  readonly number: number;
  /** The ABI that the call was made with, x32 and 32-bit ones included. */
  readonly architecture: string;
  /** By name; absent where the call was made, or killed. */
  readonly errno?: string;
}

/** The name in denials for a file that was used beyond the file rules, by whichever call. */
export const FILE_CALL = 'file';

/**
 * `denialClass({ call: 'mount', number: 165, architecture: 'x86_64', errno: 'EPERM' })` is `dangerous`. So is every call of
 * another ABI: no program that can run here has a use for one, and exploits have. A probe is `harmless`.
 */
export function denialClass(denied: DeniedCall): CallClass {
  if (denied.call === FILE_CALL) return 'authority';
  if (!isNative(denied.architecture)) return 'dangerous';
  return isProbe(denied) ? 'harmless' : callClass(denied.call);
}

/**
 * Whether it is a call by which libraries find out what the kernel has, answered as by a kernel that does not: of a number
 * that no table knows, or one of the reviewed probes (clone3). Whoever makes it has another way.
 */
export function isProbe({ call, number, architecture, errno }: DeniedCall): boolean {
  if (!isNative(architecture) || errno !== 'ENOSYS') return false;
  if (syscallName(architecture, number) === undefined) return call !== FILE_CALL;
  return callClass(call) === 'dangerous' && isQuietlyRefusable(call);
}

function isNative(architecture: string): architecture is Architecture {
  return ARCHITECTURES.some((known) => known === architecture);
}
