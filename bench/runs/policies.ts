/** What of a learned profile holds at each level, and the ceiling where no profile does. */
import {
  allowedNames,
  type CompiledFilter,
  compileFilter,
  DEFAULT_CEILING,
  engineDefaultNames,
  expandRules,
  type LandlockRules,
  nodeArchitecture,
  type Places,
  type Profile,
  type Rule,
} from '#lib/profiles';
import { LEVEL_NAMES, LEVELS, type LevelName, type ProfileDepth } from './levels.js';
import { perLevel, type PerLevel } from '../measure/measured-runs.js';

export interface Policy {
  readonly filter: CompiledFilter;
  readonly landlock?: LandlockRules;
}
export type Policies = PerLevel<Policy>;

export interface LearnedProfile {
  readonly profile: Profile;
  /** What it says something about. */
  readonly depth: ProfileDepth;
}

const ARCHITECTURE = nodeArchitecture(process.arch);
const COMMON = {
  architecture: ARCHITECTURE,
  ceiling: DEFAULT_CEILING,
  engineDefault: engineDefaultNames(ARCHITECTURE),
} as const;
/** Each holds the ones before it. */
const DEPTHS: readonly ProfileDepth[] = ['names', 'arguments', 'files'];

/** Of the levels that need no profile. */
export const CEILING_POLICIES: Policies = perLevel(LEVEL_NAMES, ceilingPolicy);

/** Of all levels but those for which the profile is not deep enough. `places` are the run's. */
export function policiesOf(learned: LearnedProfile, places: Places): Policies {
  return perLevel(LEVEL_NAMES, (name) => CEILING_POLICIES[name] ?? profilePolicy(name, learned, places));
}

/** The profile of a program that is to be refused these calls. */
export function withoutCalls(profile: Profile, calls: readonly string[]): Profile {
  const rules = profile.rules.flatMap((rule) => {
    const names = rule.names.filter((name) => !calls.includes(name));
    return names.length === 0 ? [] : [{ ...rule, names }];
  });
  return { ...profile, rules };
}

function ceilingPolicy(name: LevelName): Policy | undefined {
  const { level, depth } = LEVELS[name];
  if (depth !== undefined) return undefined;
  const notifyAll = level.monitoring === 'trace-notify';
  return { filter: compileFilter({ ...COMMON, enforcement: level.enforcement, rules: null, notifyAll }) };
}

function profilePolicy(name: LevelName, { profile, depth }: LearnedProfile, places: Places): Policy | undefined {
  const { level, depth: needed = 'names' } = LEVELS[name];
  if (DEPTHS.indexOf(needed) > DEPTHS.indexOf(depth)) return undefined;
  const rules = needed === 'names' ? namesAlone(profile) : profile.rules;
  const filter = compileFilter({ ...COMMON, enforcement: level.enforcement, rules });
  return needed === 'files' ? { filter, landlock: expandRules(profile.files ?? [], places) } : { filter };
}

function namesAlone(profile: Profile): readonly Rule[] {
  const names = allowedNames(profile);
  return names.length === 0 ? [] : [{ names: [...names], action: 'SCMP_ACT_ALLOW' }];
}
