/** What a version grants beyond the one that it is based on, by class: what a decision about it hangs on. */
import { diffFileMembers } from '../files/diff-files.js';
import { CALL_CLASSES, callClass, type CallClass } from '../kernel/families.js';
import { familyConditions, fixedConditions } from '../learn/fixed-conditions.js';
import { type Alternative, byName } from '../model/argument-rules.js';
import { type Condition } from '../model/condition.js';
import { LANDLOCK_STATUSES } from '../model/files.js';
import { holds } from '../model/holds.js';
import { type Profile } from '../model/profile.js';

export interface Additions {
  /** Of calls that are new or may be made with more arguments; in rising order. */
  readonly classes: readonly CallClass[];
  /** Whether file rules or limits grant more too. Network there is none to grant. */
  readonly isBeyondCalls: boolean;
}

/** `previous`: null for the first version of a build, which adds all that it has. */
export function additionsOf(profile: Profile, previous: Profile | null): Additions {
  const before = byName(previous?.rules ?? []);
  const classes = new Set(
    [...byName(profile.rules)].flatMap(([name, alternatives]) => {
      const admitted = alternatives.filter((conditions) => !isAdmitted(conditions, before.get(name) ?? []));
      return admitted.length > 0 ? [classWithArguments(name, admitted)] : [];
    }),
  );
  return {
    classes: CALL_CLASSES.filter((known) => classes.has(known)),
    isBeyondCalls: previous === null ? profile.files !== undefined : grantsMoreFiles(profile, previous),
  };
}

/** A decision about more than what every program may do, and what cannot reach beyond it, needs a reason. */
export function needsReason({ classes, isBeyondCalls }: Additions): boolean {
  return isBeyondCalls || classes.includes('authority') || classes.includes('dangerous');
}

/**
 * A basic or harmless call is that with the arguments which the table of fixed conditions gives it (a thread by clone, memory
 * that is not writable and executable at once). With others, or with any, it may do what nobody has judged.
 */
export function classWithArguments(name: string, admitted: readonly Alternative[]): CallClass {
  const of = callClass(name);
  if (of === 'authority' || of === 'dangerous') return of;
  const fixed = [...fixedConditions(name), ...familyConditions(name)];
  return admitted.every((conditions) => isAdmitted(conditions, fixed)) ? of : 'authority';
}

/** Whether all that the conditions let through, one of the alternatives does too, as far as each condition tells. */
function isAdmitted(conditions: Alternative, alternatives: readonly Alternative[]): boolean {
  return alternatives.some((alternative) =>
    alternative.every((wanted) => conditions.some((given) => implies(given, wanted))),
  );
}

function implies(given: Condition, wanted: Condition): boolean {
  if (given.argument !== wanted.argument) return false;
  if (given.op === 'SCMP_CMP_EQ') return holds(wanted, BigInt(given.value));
  if (given.op === wanted.op && given.value === wanted.value && given.mask === wanted.mask) return true;
  if (given.op !== 'SCMP_CMP_MASKED_EQ') return false;
  const [known, value] = [BigInt(given.mask ?? 0), BigInt(given.value)];
  const tested = BigInt(wanted.mask ?? 0);
  if (wanted.op === 'SCMP_CMP_MASKED_EQ') return (tested & ~known) === 0n && (value & tested) === BigInt(wanted.value);
  // A bit that is known to differ.
  return wanted.op === 'SCMP_CMP_NE' && (value & known) !== (BigInt(wanted.value) & known);
}

function grantsMoreFiles(profile: Profile, previous: Profile): boolean {
  const { files, pids, landlockMinimum } = diffFileMembers(profile, previous);
  const moreFiles =
    files !== null &&
    files.restrictedBefore &&
    (!files.restrictedNow || files.added.length > 0 || files.widened.length > 0);
  const moreProcesses = pids !== null && pids.before !== null && (pids.now === null || pids.now > pids.before);
  const rank = (status: Profile['landlockMinimum'] | null): number => (status ? LANDLOCK_STATUSES.indexOf(status) : 0);
  const lessLandlock = landlockMinimum !== null && rank(landlockMinimum.now) < rank(landlockMinimum.before);
  return moreFiles || moreProcesses || lessLandlock;
}
