/** Lays a verdict per system call number out as a classic-BPF program: a balanced search, then tests of arguments. */
import { type Architecture } from '../model/profile.js';
import {
  and,
  AUDIT_ARCH,
  jumpAlways,
  jumpIfAtLeast,
  jumpIfEqual,
  load,
  MAX_CONDITIONAL_JUMP,
  OFFSET_ARCH,
  OFFSET_NR,
  offsetOfArgumentLow,
  ret,
} from './bpf.js';
import { type GuardCondition } from './guards.js';
import { type Instruction } from './instruction.js';

/** A return value, or one that depends on arguments. */
export type Verdict = number | GuardedVerdict;

export interface GuardedVerdict {
  readonly anyOf: readonly (readonly GuardCondition[])[];
  readonly pass: number;
  readonly fail: number;
}

/** Numbers from `from` up to the next range's `from`, as unsigned 32-bit values: -1 and x32 numbers lie at the top. */
interface Range {
  readonly from: number;
  readonly verdict: Verdict;
}

/**
 * @param verdicts by system call number; every other number, and every other architecture, gets `otherwise`.
 */
export function assemble(
  architecture: Architecture,
  verdicts: ReadonlyMap<number, Verdict>,
  otherwise: number,
): Instruction[] {
  return [
    load(OFFSET_ARCH),
    jumpIfEqual(AUDIT_ARCH[architecture], 1, 0),
    ret(otherwise),
    load(OFFSET_NR),
    ...search(toRanges(verdicts, otherwise)),
  ];
}

function toRanges(verdicts: ReadonlyMap<number, Verdict>, otherwise: number): Range[] {
  const ranges: Range[] = [{ from: 0, verdict: otherwise }];
  const start = (from: number, verdict: Verdict): void => {
    if (ranges.at(-1)?.from === from) ranges.pop();
    if (ranges.at(-1)?.verdict !== verdict) ranges.push({ from, verdict });
  };
  for (const number of [...verdicts.keys()].sort((a, b) => a - b)) {
    start(number, verdicts.get(number) ?? otherwise);
    start(number + 1, otherwise);
  }
  return ranges;
}

/**
 * A balanced search tree whose leaves all end in RET. Up to a leaf it only compares the number, which is what lets the
 * kernel (5.11 and newer) cache plain allows in a bitmap; arguments are loaded below the leaf of the call they belong to.
 */
function search(ranges: readonly Range[]): Instruction[] {
  const [first] = ranges;
  if (first === undefined) return [];
  if (ranges.length === 1) return leaf(first.verdict);
  const middle = ranges.length >> 1;
  const below = search(ranges.slice(0, middle));
  const above = search(ranges.slice(middle));
  return [...skipIfAtLeast(ranges[middle]?.from ?? 0, below.length), ...below, ...above];
}

function skipIfAtLeast(number: number, skip: number): Instruction[] {
  return skip <= MAX_CONDITIONAL_JUMP
    ? [jumpIfAtLeast(number, skip, 0)]
    : [jumpIfAtLeast(number, 0, 1), jumpAlways(skip)];
}

function leaf(verdict: Verdict): Instruction[] {
  if (typeof verdict === 'number') return [ret(verdict)];
  return [...verdict.anyOf.flatMap((conditions) => alternative(conditions, verdict.pass)), ret(verdict.fail)];
}

/** Returns `pass` if every condition holds, and falls off its end otherwise. */
function alternative(conditions: readonly GuardCondition[], pass: number): Instruction[] {
  return conditions.reduceRight<Instruction[]>(
    (rest, condition) => [...test(condition, rest.length), ...rest],
    [ret(pass)],
  );
}

/** Goes on if the condition holds, and skips `skip` instructions otherwise. */
function test(condition: GuardCondition, skip: number): Instruction[] {
  const argument = load(offsetOfArgumentLow(condition.argument));
  switch (condition.op) {
    case 'SCMP_CMP_EQ':
      return [argument, jumpIfEqual(condition.value, 0, skip)];
    case 'SCMP_CMP_NE':
      return [argument, jumpIfEqual(condition.value, skip, 0)];
    case 'SCMP_CMP_MASKED_EQ':
      return [argument, and(condition.mask), jumpIfEqual(condition.value, 0, skip)];
  }
}
