/** Compares a recording with a profile: what the run did that `enforce` would have refused. */
import { ALWAYS_GRANTED } from '../files/always-granted.js';
import { isExpressible, nameable, successfulUses } from '../files/needs.js';
import { byPath, isGiven, neededFor, rightsAt } from '../files/rights.js';
import { ALWAYS_ALLOWED } from '../filter/guards.js';
import { refusalErrno } from '../filter/eperm.js';
import { isQuietlyRefusable } from '../kernel/engine-default.js';
import { isCovered, isDecided } from '../learn/covered.js';
import { byName, isUnconditional, refusalsByName } from '../model/argument-rules.js';
import { type Profile } from '../model/profile.js';
import { type ArgumentUse, type FileAccess, type Recording } from '../model/recording.js';

export type Departure =
  /** Made, and outside the profile. `values`: by argument, where they are what is outside. */
  | { readonly kind: 'call'; readonly call: string; readonly values: ArgumentUse['values']; readonly count: number }
  /** Answered quietly while it was audited; under `enforce` it would be reported. */
  | { readonly kind: 'refused'; readonly call: string; readonly errno: string; readonly count: number }
  | { readonly kind: 'file'; readonly access: FileAccess; readonly path: string; readonly count: number };

/**
 * With variables already put into the recording. Calls sorted by name, then files as recorded. Conditions on arguments that
 * the recording does not hold decide nothing. Calls that a partial recording lacks are not found.
 */
export function departures(recording: Recording, profile: Profile): readonly Departure[] {
  return [
    ...callDepartures(recording, profile),
    ...refusedDepartures(recording, profile),
    ...fileDepartures(recording, profile),
  ];
}

/** Names alone, of counts so far: for a run that goes on. */
export function isOutside(profile: Profile): (call: string) => boolean {
  const allowed = byName(profile.rules);
  return (call) => !allowed.has(call) && !ALWAYS_ALLOWED.includes(call);
}

function callDepartures({ calls, arguments: uses = [] }: Recording, profile: Profile): readonly Departure[] {
  const allowed = byName(profile.rules);
  const outside = isOutside(profile);
  return Object.entries(calls)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([call, count]): Departure[] => {
      const alternatives = allowed.get(call) ?? [];
      if (outside(call)) return [{ kind: 'call', call, values: {}, count }];
      if (isUnconditional(alternatives) || ALWAYS_ALLOWED.includes(call)) return [];
      return uses
        .filter((use) => use.call === call && use.count > 0 && isDecided(use, alternatives))
        .filter((use) => !alternatives.some((conditions) => isCovered(use, conditions)))
        .map((use) => ({ kind: 'call', call, values: use.values, count: use.count }));
    });
}

function refusedDepartures({ refused = {} }: Recording, profile: Profile): readonly Departure[] {
  const quiet = refusalsByName(profile.rules);
  return Object.entries(refused)
    .filter(([call]) => isQuietlyRefusable(call) && !quiet.has(call))
    .map(([call, errnos]) => ({
      kind: 'refused' as const,
      call,
      errno: refusalErrno(call),
      count: Object.values(errnos).reduce((sum, count) => sum + count, 0),
    }))
    .sort((a, b) => (a.call < b.call ? -1 : 1));
}

function fileDepartures(recording: Recording, { files }: Profile): readonly Departure[] {
  if (!files) return [];
  const rules = byPath([...files, ...ALWAYS_GRANTED]);
  return successfulUses(recording)
    .filter((use) => {
      if (!isExpressible(use)) return true;
      const { path, rights } = neededFor(use);
      const given = rightsAt(rules, nameable(path));
      return rights.some((right) => !isGiven(given, right));
    })
    .map(({ access, path, count }) => ({ kind: 'file', access, path, count }));
}
