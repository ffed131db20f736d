/** What a reviewer should look at before approving a profile, with the reason for each. */
import { DEFAULT_CEILING } from '../filter/ceiling.js';
import { withheldNames, type WithheldName } from '../filter/compile.js';
import { grantedNames } from '../kernel/engine-default.js';
import { callClass, callFacts } from '../kernel/families.js';
import { guardOf } from '../filter/guards.js';
import { lintFiles } from '../files/lint-files.js';
import { type Alternative, byName, isUnconditional } from '../model/argument-rules.js';
import { allowedNames } from '../model/parse-profile.js';
import { type Coverage, type Profile } from '../model/profile.js';
import { describeConditions } from './describe-conditions.js';
import { argumentReasons } from './lint-arguments.js';
import { isRare } from './rarity.js';
import { RISKY_VALUES } from './risky-values.js';

export interface LintWarning {
  /** A call, or "file:" and the path of a file rule. */
  readonly name: string;
  /** `withheld`: in the profile, but refused. `rare`: seen in few of the recordings; see isRare. */
  readonly kind: 'risky' | 'withheld' | 'rare';
  readonly reason: string;
}

const WITHHELD_REASONS: Readonly<Record<WithheldName['by'], (name: string) => string>> = {
  ceiling: (name) =>
    DEFAULT_CEILING.includes(name)
      ? `the ceiling refuses it whatever the profile says: it ${callFacts(name)?.does ?? ''}`
      : 'the ceiling refuses it whatever the profile says: set by an administrator',
  'engine-default': () => "the engine's default profile refuses it, and no profile is wider than that",
  guard: (name) => `a guard refuses it in every filter: ${guardOf(name)?.reason ?? ''}`,
};

/**
 * Calls sorted by name, then file rules by path. `ceiling`: the names that the administrators' ceiling refuses;
 * `beyondDefault`: see grantedNames.
 * @throws FilterError UNKNOWN_SYSCALLS
 */
export function lintProfile(
  profile: Profile,
  coverage: Coverage = {},
  ceiling: readonly string[] = DEFAULT_CEILING,
  beyondDefault: readonly string[] = [],
): readonly LintWarning[] {
  const { architecture } = profile;
  const names = allowedNames(profile);
  const engineDefault = grantedNames(architecture, beyondDefault);
  const withheld = new Map(
    withheldNames({ architecture, rules: profile.rules, ceiling, engineDefault }).map(({ name, by }) => [name, by]),
  );
  const rules = byName(profile.rules);
  const isHeld = [...rules.values()].some((alternatives) => !isUnconditional(alternatives));
  const aboutCalls = names.flatMap((name): LintWarning[] => {
    const by = withheld.get(name);
    // A call that stays refused is no risk.
    if (by) return [{ name, kind: 'withheld', reason: WITHHELD_REASONS[by](name) }];
    const alternatives = rules.get(name) ?? [];
    const reasons = reasonsOf(name, alternatives, isHeld);
    return [
      ...reasons.map((reason): LintWarning => ({ name, kind: 'risky', reason })),
      ...rare(name, Object.hasOwn(coverage, name) ? coverage[name] : undefined),
    ];
  });
  return [...aboutCalls, ...lintFiles(profile, coverage)];
}

/**
 * Every call of class authority or dangerous is spoken of. Where the profile holds it to values that are told apart, the
 * risky ones of them are named instead; where none of them is, what it is held to.
 */
function reasonsOf(name: string, alternatives: readonly Alternative[], isHeld: boolean): readonly string[] {
  const aboutValues = argumentReasons(name, alternatives, isHeld);
  if (!['authority', 'dangerous'].includes(callClass(name))) return aboutValues;
  const does = callFacts(name)?.does ?? 'is not in the table of calls';
  if (isUnconditional(alternatives) || !Object.hasOwn(RISKY_VALUES, name)) return [does, ...aboutValues];
  if (aboutValues.length > 0) return aboutValues;
  const held = alternatives.map((conditions) => describeConditions(name, conditions));
  return [`${does}; here only where ${held.join(', or ')}`];
}

function rare(name: string, seen: Coverage[string] | undefined): LintWarning[] {
  if (!seen || !isRare(seen)) return [];
  return [{ name, kind: 'rare', reason: `seen in ${seen.seenIn} of ${seen.of} recordings only` }];
}
