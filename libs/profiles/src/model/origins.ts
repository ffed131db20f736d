/** Where the calls of a profile come from: what stands beside the rules that are signed. */

/** `families`: a call that was seen brings the harmless rest of its family; `seen`: nothing but what was seen, and `basic`. */
export const CLOSURES = ['families', 'seen'] as const;
export type Closure = (typeof CLOSURES)[number];

/** The one table's version (kernel/families.ts). */
export const FAMILIES_VERSION = 1;

export const CALL_ORIGINS = ['seen', 'basic', 'implied', 'audit', 'inherited', 'by hand'] as const;

export interface CallOrigin {
  readonly origin: (typeof CALL_ORIGINS)[number];
  /** With `implied`: the family that brought it. */
  readonly family?: string;
  /** The executor run whose recording was the first to have it; it may be gone by now. */
  readonly run?: string;
}

/** By call, of all that a profile allows or refuses quietly. */
export type Origins = Readonly<Record<string, CallOrigin>>;
