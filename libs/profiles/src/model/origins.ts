/** Why a profile has a call: stored beside the version, and no part of what is signed. */

/** `audit`: made under audit beside the version before; `denied`: refused under it, and proposed for that. */
export const ORIGINS = ['seen', 'basic', 'implied', 'audit', 'denied', 'inherited', 'by hand'] as const;
export type Origin = (typeof ORIGINS)[number];

export interface CallOrigin {
  readonly origin: Origin;
  /** The family that brought it; with `implied` alone. */
  readonly family?: string;
  /** Id of the executor run that brought it; with `seen`, `audit` and `denied`. */
  readonly run?: string;
}

/** By call, those that are refused quietly included. */
export type Origins = Readonly<Record<string, CallOrigin>>;
