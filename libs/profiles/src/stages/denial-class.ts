/** How much authority a denied call would have given: the class that its consequences, its review and lists of jobs go by. */
import { CALL_CLASSES, callClass, callFacts, type CallClass } from '../kernel/families.js';
import { ARCHITECTURES } from '../model/profile.js';

export interface DeniedCall {
  /** A name of the table, `call <number>` for a number without one, or `file` for what Landlock refuses. */
  readonly call: string;
  /** Of the ABI that it was made by; see ARCHITECTURES for ours. */
  readonly architecture: string;
  /** By name; absent where it was made, or ended the payload. */
  readonly errno?: string | null;
}

/** A call by another ABI is dangerous: no profile speaks of those, and attacks use them. Null: see ClassedDenial. */
export function denialClass({ call, architecture, errno }: DeniedCall): CallClass | null {
  if (!ARCHITECTURES.some((ours) => ours === architecture)) return 'dangerous';
  if (call === 'file') return 'authority';
  if (!callFacts(call) && errno === 'ENOSYS') return null;
  return callClass(call);
}

/** Null where there is none. */
export function worstClass(classes: readonly (CallClass | null)[]): CallClass | null {
  return CALL_CLASSES.findLast((known) => classes.includes(known)) ?? null;
}
