/** Whether a use of a call, as a recording holds it, is one that conditions allow. */
import { argumentWidth } from '../kernel/argument-widths.js';
import { type Alternative } from '../model/argument-rules.js';
import { type Condition, type Hex } from '../model/condition.js';
import { holds } from '../model/holds.js';
import { type ArgumentUse } from '../model/recording.js';
import { AWARE_ARGUMENTS } from './aware-arguments.js';

type RecordedUse = Pick<ArgumentUse, 'call' | 'values'>;

/** Values of the call's aware arguments, in their order, as a recording has them. */
export function useOf(call: string, values: readonly bigint[]): RecordedUse {
  const aware = AWARE_ARGUMENTS[call] ?? [];
  const keyed = aware.map(({ argument }, index): [string, Hex] => [
    String(argument),
    `0x${(values[index] ?? 0n).toString(16)}`,
  ]);
  return { call, values: Object.fromEntries(keyed) };
}

/** No more is known of the use than the bits of the masks; a condition on others counts as not met. */
export function isCovered(use: RecordedUse, conditions: Alternative): boolean {
  return conditions.every((condition) => {
    const value = use.values[condition.argument];
    return value !== undefined && isKnown(use.call, condition) && holds(condition, BigInt(value));
  });
}

/** Whether the recording tells, of every condition of every alternative, if it was met. */
export function isDecided(use: RecordedUse, alternatives: readonly Alternative[]): boolean {
  return alternatives
    .flat()
    .every((condition) => use.values[condition.argument] !== undefined && isKnown(use.call, condition));
}

/** A comparison needs every bit of the argument, a masked one those of its mask. */
function isKnown(call: string, { argument, mask }: Condition): boolean {
  const known = BigInt(AWARE_ARGUMENTS[call]?.find((aware) => aware.argument === argument)?.mask ?? 0);
  const needed = mask === undefined ? (1n << BigInt(argumentWidth(call, argument) ?? 64)) - 1n : BigInt(mask);
  return (needed & ~known) === 0n;
}
