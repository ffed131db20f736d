/** Rules by call, and back to rules in the one order that equal sets of them have. */
import { COMPARISONS, type Condition } from './condition.js';
import { type RefusalRule, type Rule } from './profile.js';

/** Conditions that must all hold. None: whatever the arguments. */
export type Alternative = readonly Condition[];

/** Name -> its alternatives, without repetition and sorted; one without conditions stands alone. */
export type RulesByName = ReadonlyMap<string, readonly Alternative[]>;

/** Name -> the errno with which it is refused quietly. */
export type RefusalsByName = ReadonlyMap<string, number>;

/** The calls that are allowed. */
export function byName(rules: readonly Rule[]): RulesByName {
  const found = new Map<string, Alternative[]>();
  for (const rule of rules) {
    if (rule.action !== 'SCMP_ACT_ALLOW') continue;
    for (const name of rule.names) found.set(name, [...(found.get(name) ?? []), rule.args ?? []]);
  }
  return new Map(
    [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, all]) => [name, canonicalAlternatives(all)]),
  );
}

/** The calls that are refused quietly. */
export function refusalsByName(rules: readonly Rule[]): RefusalsByName {
  const refusals = rules.filter((rule): rule is RefusalRule => rule.action === 'SCMP_ACT_ERRNO');
  return new Map(refusals.flatMap(({ names, errnoRet }) => names.map((name) => [name, errnoRet] as const)));
}

/**
 * Names without conditions in one rule, then each alternative of each other name in one of its own, then the quiet refusals
 * by errno. A name that is allowed is not refused.
 */
export function toRules(rules: RulesByName, refusals: RefusalsByName = new Map()): Rule[] {
  const entries = [...rules].sort(([a], [b]) => (a < b ? -1 : 1));
  const plain = entries.filter(([, alternatives]) => isUnconditional(alternatives)).map(([name]) => name);
  const conditional = entries
    .filter(([, alternatives]) => !isUnconditional(alternatives))
    .flatMap(([name, alternatives]) =>
      alternatives.map((args): Rule => ({ names: [name], action: 'SCMP_ACT_ALLOW', args })),
    );
  return [...plainRules(plain), ...conditional, ...refusalRules([...refusals].filter(([name]) => !rules.has(name)))];
}

function refusalRules(refusals: readonly (readonly [name: string, errnoRet: number])[]): RefusalRule[] {
  const errnos = [...new Set(refusals.map(([, errnoRet]) => errnoRet))].sort((a, b) => a - b);
  return errnos.map((errnoRet) => ({
    names: refusals
      .filter(([, errno]) => errno === errnoRet)
      .map(([name]) => name)
      .sort(),
    action: 'SCMP_ACT_ERRNO',
    errnoRet,
  }));
}

/** The rule, if any, that allows these names whatever their arguments. */
export function plainRules(names: readonly string[]): Rule[] {
  return names.length === 0 ? [] : [{ names: [...new Set(names)].sort(), action: 'SCMP_ACT_ALLOW' }];
}

export function isUnconditional(alternatives: readonly Alternative[]): boolean {
  return alternatives.some((conditions) => conditions.length === 0);
}

export function canonicalAlternatives(alternatives: readonly Alternative[]): readonly Alternative[] {
  if (isUnconditional(alternatives)) return [[]];
  return unique(
    alternatives.map((conditions) => unique(conditions, compareConditions)),
    compareAlternatives,
  );
}

function unique<T>(items: readonly T[], compare: (a: T, b: T) => number): readonly T[] {
  const sorted = [...items].sort(compare);
  return sorted.filter((item, index) => index === 0 || compare(sorted[index - 1] as T, item) !== 0);
}

function compareAlternatives(a: Alternative, b: Alternative): number {
  const differing = a.findIndex((condition, index) => {
    const other = b[index];
    return !other || compareConditions(condition, other) !== 0;
  });
  const [mine, other] = [a[differing], b[differing]];
  return mine && other ? compareConditions(mine, other) : a.length - b.length;
}

function compareConditions(a: Condition, b: Condition): number {
  return (
    a.argument - b.argument ||
    COMPARISONS.indexOf(a.op) - COMPARISONS.indexOf(b.op) ||
    compareHex(a.mask ?? '0x0', b.mask ?? '0x0') ||
    compareHex(a.value, b.value)
  );
}

function compareHex(a: string, b: string): number {
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
