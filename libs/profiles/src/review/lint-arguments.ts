/** What a reviewer should look at in a profile's conditions, and where there are none, with the reason for each. */
import { AWARE_ARGUMENTS } from '../learn/aware-arguments.js';
import { NEVER_HELD } from '../learn/benign-groups.js';
import { type Alternative, isUnconditional } from '../model/argument-rules.js';
import { mayHold } from '../model/holds.js';
import { RISKY_VALUES } from './risky-values.js';

/** linux/sched.h */
const CLONE_THREAD = 0x10000n;

/** Of one call. `isHeld`: the profile has conditions at all, so that a call without any stands out. */
export function argumentReasons(
  name: string,
  alternatives: readonly Alternative[],
  isHeld: boolean,
): readonly string[] {
  if (name === 'clone') return alternatives.every(isHeldToThreads) ? [] : ['starts processes, not only threads'];
  if (!isUnconditional(alternatives)) {
    return (RISKY_VALUES[name] ?? [])
      .filter((risk) => alternatives.some((conditions) => mayHold(conditions, risk.values)))
      .map(({ reason }) => reason);
  }
  if (!isHeld || NEVER_HELD.has(name)) return [];
  const givenUp = (RISKY_VALUES[name] ?? []).filter(({ isGivenUp }) => isGivenUp);
  if (givenUp.length > 0) return givenUp.map(({ reason }) => reason);
  if (!Object.hasOwn(AWARE_ARGUMENTS, name)) return [];
  return ['allowed whatever its arguments: too many different ones were seen, or none were recorded'];
}

function isHeldToThreads(conditions: Alternative): boolean {
  return conditions.some(({ argument, op, value, mask }) => {
    const tested = op === 'SCMP_CMP_EQ' ? CLONE_THREAD : op === 'SCMP_CMP_MASKED_EQ' ? BigInt(mask ?? 0) : 0n;
    return argument === 0 && (tested & BigInt(value) & CLONE_THREAD) !== 0n;
  });
}
