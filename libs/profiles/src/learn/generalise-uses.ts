/** From the uses of a call that were seen to the conditions that a profile holds it to. */
import { type Alternative, canonicalAlternatives } from '../model/argument-rules.js';
import { AWARE_ARGUMENTS } from './aware-arguments.js';
import { isValue } from './argument-conditions.js';
import { BENIGN_GROUPS, NEVER_HELD } from './benign-groups.js';

/** A value for each of the call's aware arguments, in their order. */
export type Use = readonly bigint[];

/** More distinct uses than this are no closed set: the next input would bring another. */
export const MAX_DISTINCT_USES = 16;

const ANY_ARGUMENTS: readonly Alternative[] = [[]];

/**
 * Alternatives in their order; [[]] where the call is not to be held to anything. `uses`: at least one. Protections of
 * memory are judged for all calls together, and not here.
 */
export function generaliseUses(call: string, uses: readonly Use[]): readonly Alternative[] {
  const aware = AWARE_ARGUMENTS[call];
  if (!aware || NEVER_HELD.has(call)) return ANY_ARGUMENTS;
  const distinct = new Map(uses.map((use) => [use.join(' '), use]));
  if (distinct.size > MAX_DISTINCT_USES) return ANY_ARGUMENTS;
  const groups = (BENIGN_GROUPS[call] ?? []).map((group) => group.map((use) => use.map(BigInt)));
  for (const group of groups) {
    if (group.some((use) => distinct.has(use.join(' ')))) group.forEach((use) => distinct.set(use.join(' '), use));
  }
  const alternatives = [...distinct.values()].map((use) =>
    aware.map((argument, index) => isValue(call, argument, use[index] ?? 0n)),
  );
  return canonicalAlternatives(alternatives);
}
