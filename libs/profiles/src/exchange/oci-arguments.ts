/** Conditions on 32-bit arguments in the words of an OCI seccomp profile, whose comparisons are all 64 bits wide. */
import { type GuardCondition } from '../filter/guards.js';

/** For SCMP_CMP_MASKED_EQ `value` is the mask and `valueTwo` what the masked argument must be (libseccomp, seccomp_rule_add(3)). */
export interface OciArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo: number;
  readonly op: 'SCMP_CMP_MASKED_EQ';
}

const LOW_WORD = 0xffffffff;

/**
 * Each alternative is the arguments of one rule; the call may be made when one of them holds. The high word is masked out
 * everywhere: a plain comparison could be got past by setting it.
 */
export function argumentAlternatives(
  anyOf: readonly (readonly GuardCondition[])[],
): readonly (readonly OciArgument[])[] {
  return anyOf.flatMap((conditions) =>
    conditions.reduce<readonly (readonly OciArgument[])[]>(
      (alternatives, condition) =>
        alternatives.flatMap((alternative) => waysToHold(condition).map((argument) => [...alternative, argument])),
      [[]],
    ),
  );
}

/** There is no masked "not equal": the low word differs from a value when one of its 32 bits does. */
function waysToHold(condition: GuardCondition): readonly OciArgument[] {
  const { argument, op, value } = condition;
  switch (op) {
    case 'SCMP_CMP_EQ':
      return [maskedEqual(argument, LOW_WORD, value)];
    case 'SCMP_CMP_MASKED_EQ':
      return [maskedEqual(argument, condition.mask, value)];
    case 'SCMP_CMP_NE':
      return Array.from({ length: 32 }, (_bit, bit) => maskedEqual(argument, 2 ** bit, (~value & (1 << bit)) >>> 0));
  }
}

function maskedEqual(index: number, mask: number, value: number): OciArgument {
  return { index, value: mask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' };
}
