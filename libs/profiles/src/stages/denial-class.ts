/** How much authority a denied call would have given: the class that its consequences, its review and lists of jobs go by. */
import { isQuietlyRefusable } from '../kernel/engine-default.js';
import { CALL_CLASSES, callClass, callFacts, type CallClass } from '../kernel/families.js';
import { ARCHITECTURES } from '../model/profile.js';

export interface DeniedCall {
  /** A name of the table, `call <number>` for a number without one, or FILE_CALL. */
  readonly call: string;
  /** Of the ABI that it was made by, x32 and 32-bit ones included; see ARCHITECTURES for ours. */
  readonly architecture: string;
  /** By name; absent where it was made, or ended the payload. */
  readonly errno?: string | null;
}

/** The name in denials for a file that was used beyond the file rules, by whichever call. */
export const FILE_CALL = 'file';

/**
 * `denialClass({ call: 'mount', architecture: 'x86_64', errno: 'EPERM' })` is `dangerous`. So is every call of another ABI: no
 * program that can run here has a use for one, and exploits have. Null for a probe, by which libraries find out what the
 * kernel has (a number that no table knows, clone3), answered as by a kernel that has not: whoever makes it has another way.
 */
export function denialClass({ call, architecture, errno }: DeniedCall): CallClass | null {
  if (!ARCHITECTURES.some((ours) => ours === architecture)) return 'dangerous';
  if (call === FILE_CALL) return 'authority';
  if (errno === 'ENOSYS' && (!callFacts(call) || isReviewedProbe(call))) return null;
  return callClass(call);
}

function isReviewedProbe(call: string): boolean {
  return callClass(call) === 'dangerous' && isQuietlyRefusable(call);
}

/** Null where there is none. */
export function worstClass(classes: readonly (CallClass | null)[]): CallClass | null {
  return CALL_CLASSES.findLast((known) => classes.includes(known)) ?? null;
}
