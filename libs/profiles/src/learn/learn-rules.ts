/** What recordings teach about system calls: names from all of them, conditions from those that hold arguments. */
import { type Alternative, byName, canonicalAlternatives, isUnconditional, toRules } from '../model/argument-rules.js';
import { argumentWidth } from '../kernel/argument-widths.js';
import { type Condition } from '../model/condition.js';
import { holds } from '../model/holds.js';
import { type Rule } from '../model/profile.js';
import { type Recording } from '../model/recording.js';
import { AWARE_ARGUMENTS } from './aware-arguments.js';
import { isEnough, type LearningOptions, type LearningRun } from './enough.js';
import { generaliseUses, type Use } from './generalise-uses.js';

const ANY_ARGUMENTS: readonly Alternative[] = [[]];

/**
 * Of runs that may teach. Conditions are learned when the recordings that hold arguments are enough by themselves; else
 * the rules are those of the profile that it is based on, and names without conditions. That one is only ever widened, but
 * a version without any condition may be followed by one that has them.
 */
export function learnRules(runs: readonly LearningRun[], options: LearningOptions): readonly Rule[] {
  const before = byName(options.basedOn?.rules ?? []);
  const isNamesOnly = [...before.values()].every(isUnconditional);
  const aware = runs.map(({ recording }) => recording).filter((recording) => recording.arguments !== undefined);
  const isTaught = isEnough(
    runs.filter(({ recording }) => recording.arguments !== undefined),
    options,
  );
  const names = new Set([...before.keys(), ...runs.flatMap(({ recording }) => calledNames(recording))]);
  return toRules(
    new Map(
      [...names].map((name) => {
        const old = isNamesOnly && isTaught ? undefined : before.get(name);
        return [name, withUses(name, old, isTaught ? usesOf(name, aware) : null)];
      }),
    ),
  );
}

export function calledNames(recording: Recording): readonly string[] {
  return Object.entries(recording.calls).flatMap(([name, count]) => (count > 0 ? [name] : []));
}

/** `uses`: null where the recordings say nothing about the call's arguments. */
function withUses(name: string, old: readonly Alternative[] | undefined, uses: readonly Use[] | null) {
  if (!uses) return old ?? ANY_ARGUMENTS;
  if (!old) return generaliseUses(name, uses);
  const fresh = uses.filter((use) => !old.some((conditions) => isCovered(name, conditions, use)));
  return fresh.length === 0 ? old : canonicalAlternatives([...old, ...generaliseUses(name, fresh)]);
}

/**
 * Null where the call is not argument-aware, or was not made in any of these recordings, or made in one that lacks its
 * uses, as one does that is older than the call's place among the aware ones.
 */
function usesOf(name: string, recordings: readonly Recording[]): readonly Use[] | null {
  const aware = AWARE_ARGUMENTS[name];
  const making = recordings.filter(({ calls }) => (calls[name] ?? 0) > 0);
  if (!aware || making.length === 0) return null;
  const uses = making.map((recording) =>
    // A use without calls is one that a filter refused.
    (recording.arguments ?? []).filter(({ call, count }) => call === name && count > 0),
  );
  const isWhole = uses.every(
    (all) => all.length > 0 && all.every(({ values }) => aware.every(({ argument }) => values[argument] !== undefined)),
  );
  if (!isWhole) return null;
  return uses
    .flat()
    .map(({ values }) => aware.map(({ argument, mask }) => BigInt(values[argument] ?? 0) & BigInt(mask)));
}

/** Whether the use, of which no more is known than the bits of the masks, is among those that hold the conditions. */
function isCovered(name: string, conditions: Alternative, use: Use): boolean {
  const aware = AWARE_ARGUMENTS[name] ?? [];
  return conditions.every((condition) => {
    const index = aware.findIndex(({ argument }) => argument === condition.argument);
    const known = BigInt(aware[index]?.mask ?? 0);
    const value = use[index];
    return value !== undefined && isKnown(name, condition, known) && holds(condition, value);
  });
}

/** A comparison needs every bit of the argument, a masked one those of its mask. */
function isKnown(name: string, { argument, mask }: Condition, known: bigint): boolean {
  const needed = mask === undefined ? (1n << BigInt(argumentWidth(name, argument) ?? 64)) - 1n : BigInt(mask);
  return (needed & ~known) === 0n;
}
