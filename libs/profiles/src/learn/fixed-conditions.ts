/** What a basic call may be made with whether or not it was seen, and an implied one, at every level. */
import { type Alternative, canonicalAlternatives } from '../model/argument-rules.js';
import { type Condition, type Hex } from '../model/condition.js';
import { BENIGN_GROUPS } from './benign-groups.js';
import { AWARE_ARGUMENTS } from './aware-arguments.js';
import { isValue, NOT_WRITABLE_AND_EXECUTABLE } from './argument-conditions.js';

/** CLONE_VM, CLONE_SIGHAND and CLONE_THREAD set, no namespace (linux/sched.h): a thread. */
const THREAD: Condition = { argument: 0, op: 'SCMP_CMP_MASKED_EQ', mask: '0x7e030900', value: '0x10900' };
const isNot = (argument: number, value: Hex): Condition => ({ argument, op: 'SCMP_CMP_NE', value });
/** CLOCK_REALTIME_ALARM and CLOCK_BOOTTIME_ALARM (linux/time.h), which wake the machine. Clocks of threads have any id. */
const NO_ALARM_CLOCK: Alternative = [isNot(0, '0x8'), isNot(0, '0x9')];

const OWN: Readonly<Record<string, readonly Alternative[]>> = {
  clone: [[THREAD]],
  clock_nanosleep: [NO_ALARM_CLOCK],
  mmap: NOT_WRITABLE_AND_EXECUTABLE,
  mprotect: NOT_WRITABLE_AND_EXECUTABLE,
};

/** Which of the benign groups hold without having been seen; of calls that are not here, all of them. */
const GROUPS_HELD: Readonly<Record<string, number>> = { futex: 1 };

const usesOf = (call: string, uses: readonly (readonly number[])[]): readonly Alternative[] =>
  uses.map((use) => (AWARE_ARGUMENTS[call] ?? []).map((aware, index) => isValue(call, aware, BigInt(use[index] ?? 0))));

/** By fork, vfork and posix_spawn of both C libraries. */
const PROCESSES: readonly Alternative[] = usesOf('clone', BENIGN_GROUPS.clone?.[0] ?? []);

const FIXED: ReadonlyMap<string, readonly Alternative[]> = new Map([
  ...Object.entries(BENIGN_GROUPS).map(([call, groups]) => {
    return [call, canonicalAlternatives(usesOf(call, groups.slice(0, GROUPS_HELD[call]).flat()))] as const;
  }),
  ...Object.entries(OWN).map(([call, alternatives]) => [call, canonicalAlternatives(alternatives)] as const),
]);

/** [[]] for a call that takes any arguments. `fixedConditions('clone')` is one alternative: the flags of a thread. */
export function fixedConditions(call: string): readonly Alternative[] {
  return FIXED.get(call) ?? [[]];
}

/**
 * What a basic call may be made with beyond its fixed conditions once a call of its family was seen: C libraries fork by
 * clone, so a program that starts others, or waits for children, makes processes by it.
 */
export function familyConditions(call: string): readonly Alternative[] {
  return call === 'clone' ? PROCESSES : [];
}

/** Calls whose conditions hold even where only their name was seen: the kernel refuses the rest to a payload anyway. */
export const ALWAYS_FIXED: ReadonlySet<string> = new Set(['clock_nanosleep']);
