/** What a profile adds and takes away, against the version before it and against the engine's default. */
import { diffFileMembers, type FileMembersDiff } from '../files/diff-files.js';
import { refusalsByName } from '../model/argument-rules.js';
import { allowedNames } from '../model/parse-profile.js';
import { type Profile } from '../model/profile.js';
import { type ConditionsDiff, diffConditions } from './diff-conditions.js';

/** Sorted names. */
export interface NamesDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
}

export interface ProfileDiff extends FileMembersDiff {
  /** Null for the first version of a build. */
  readonly previous: NamesDiff | null;
  /** `added` here are calls that the engine's default refuses; `removed` is the surface that the profile takes away. */
  readonly engineDefault: NamesDiff;
  /** Calls that are refused quietly, against the previous version; for the first one, all that it has. */
  readonly quietRefusals: NamesDiff;
  /** Against the previous version; for the first one, the conditions that it has. */
  readonly conditions: readonly ConditionsDiff[];
}

/** `engineDefault`: the names that the engine's default profile allows; see engineDefaultNames. */
export function diffProfile(profile: Profile, previous: Profile | null, engineDefault: readonly string[]): ProfileDiff {
  const names = allowedNames(profile);
  return {
    previous: previous && diffNames(allowedNames(previous), names),
    engineDefault: diffNames(engineDefault, names),
    quietRefusals: diffNames(quietlyRefused(previous), quietlyRefused(profile)),
    conditions: diffConditions(profile, previous),
    ...diffFileMembers(profile, previous),
  };
}

function quietlyRefused(profile: Profile | null): readonly string[] {
  return [...refusalsByName(profile?.rules ?? []).keys()];
}

export function diffNames(before: readonly string[], after: readonly string[]): NamesDiff {
  const old = new Set(before);
  const fresh = new Set(after);
  return {
    added: [...fresh].filter((name) => !old.has(name)).sort(),
    removed: [...old].filter((name) => !fresh.has(name)).sort(),
    unchanged: [...fresh].filter((name) => old.has(name)).sort(),
  };
}
