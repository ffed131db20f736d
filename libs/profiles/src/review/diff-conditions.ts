/** How the conditions of a profile's calls differ from those of the version before it, in words that a reviewer reads. */
import { type Alternative, byName, isUnconditional } from '../model/argument-rules.js';
import { type Profile } from '../model/profile.js';
import { describeConditions } from './describe-conditions.js';

/**
 * `new`: a call that the version before does not allow, now with conditions; `added`: conditions where there were none;
 * `removed`: none any more; `widened`, `narrowed`: alternatives came, went; `changed`: both.
 */
export const CONDITION_CHANGES = ['new', 'added', 'removed', 'widened', 'narrowed', 'changed'] as const;

export interface ConditionsDiff {
  readonly name: string;
  readonly change: (typeof CONDITION_CHANGES)[number];
  /** Alternatives that only this version allows. */
  readonly admits: readonly string[];
  /** Alternatives that only the version before allows. */
  readonly refuses: readonly string[];
}

/** Sorted by name; calls whose conditions are the same are left out, and so are those that were taken out altogether. */
export function diffConditions(profile: Profile, previous: Profile | null): readonly ConditionsDiff[] {
  const before = byName(previous?.rules ?? []);
  return [...byName(profile.rules)].flatMap(([name, now]): ConditionsDiff[] => {
    const old = before.get(name) ?? [];
    const words = (alternatives: readonly Alternative[]): string[] =>
      alternatives.map((conditions) => describeConditions(name, conditions));
    const [wordsNow, wordsBefore] = [words(now), words(old)];
    const admits = wordsNow.filter((text) => !wordsBefore.includes(text));
    const refuses = wordsBefore.filter((text) => !wordsNow.includes(text));
    const change = changeOf(old, now, { admits: admits.length > 0, refuses: refuses.length > 0 });
    return change ? [{ name, change, admits, refuses }] : [];
  });
}

function changeOf(
  old: readonly Alternative[],
  now: readonly Alternative[],
  { admits, refuses }: { readonly admits: boolean; readonly refuses: boolean },
): ConditionsDiff['change'] | null {
  if (old.length === 0) return isUnconditional(now) ? null : 'new';
  if (!admits && !refuses) return null;
  if (isUnconditional(old)) return 'added';
  if (isUnconditional(now)) return 'removed';
  return admits && refuses ? 'changed' : admits ? 'widened' : 'narrowed';
}
