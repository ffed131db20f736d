/** From the calls that were seen to all that a profile holds: the basic ones, and what belongs to those that were seen. */
import { engineDefaultNames, isQuietlyRefusable } from '../kernel/engine-default.js';
import { BASIC_CALLS, broughtBy, broughtFamilies } from '../kernel/families.js';
import { syscallNumber } from '../kernel/syscalls.js';
import { type CallOrigin } from '../model/origins.js';
import { type Architecture } from '../model/profile.js';

/** `families`: a call brings the harmless rest of its family. `seen`: it does not, but the basic calls are still in the profile. */
export const CLOSURES = ['families', 'seen'] as const;
export type Closure = (typeof CLOSURES)[number];

export interface SeenCalls {
  /** Entered the kernel. */
  readonly called: ReadonlySet<string>;
  /** Answered by a filter. */
  readonly refused: ReadonlySet<string>;
}

export interface ClosedCalls {
  readonly allowed: ReadonlyMap<string, CallOrigin>;
  /** To be refused quietly. */
  readonly refused: ReadonlyMap<string, CallOrigin>;
  /** Of which a call was seen, or that such a family brings. */
  readonly families: ReadonlySet<string>;
}

export interface ClosureOptions {
  readonly architecture: Architecture;
  readonly closure: Closure;
  /** Names that an administrator lets programs call beyond the engine's default. */
  readonly beyondDefault: readonly string[];
}

/** Each call once, with the first reason that there is for it: seen, basic, implied. */
export function closeCalls(seen: SeenCalls, { architecture, closure, beyondDefault }: ClosureOptions): ClosedCalls {
  const granted = new Set([...engineDefaultNames(architecture), ...beyondDefault]);
  const allowed = new Map<string, CallOrigin>([...seen.called].map((name) => [name, { origin: 'seen' }]));
  const refused = new Map<string, CallOrigin>(
    [...seen.refused]
      .filter((name) => isQuietlyRefusable(name) && !allowed.has(name))
      .map((name) => [name, { origin: 'seen' }]),
  );
  for (const name of BASIC_CALLS) {
    if (syscallNumber(architecture, name) !== undefined && !allowed.has(name)) allowed.set(name, { origin: 'basic' });
  }
  if (closure === 'seen') return { allowed, refused, families: new Set() };
  const families = new Set([...seen.called, ...refused.keys()].flatMap(broughtFamilies));
  for (const { name, family } of [...seen.called, ...refused.keys()].flatMap((seenName) => broughtBy(seenName))) {
    if (syscallNumber(architecture, name) === undefined || allowed.has(name) || refused.has(name)) continue;
    if (granted.has(name)) allowed.set(name, { origin: 'implied', family });
    else if (isQuietlyRefusable(name)) refused.set(name, { origin: 'implied', family });
  }
  return { allowed, refused, families };
}
