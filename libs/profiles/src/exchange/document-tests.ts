/** Tests of a document, which compare 64 bits, as tests of arguments that are as wide as the kernel reads them. */
import { type ArgumentTest } from '../filter/argument-test.js';
import { argumentWidth, type ArgumentWidth, whyNotScalar } from '../kernel/argument-widths.js';
import { type Condition } from '../model/condition.js';
import { type DocumentArgument } from './oci-document.js';

/** All must hold; or in words why no condition of a profile says it. */
export type Meaning = { readonly tests: readonly ArgumentTest[] } | { readonly problem: string };

/** What a rule that allows the call means. */
export function meaningOf(call: string, args: readonly DocumentArgument[]): Meaning {
  const twice = args.find(({ index }, number) => args.findIndex((other) => other.index === index) !== number);
  if (twice) {
    const problem = `it tests argument ${twice.index} twice, which some runtimes read as "one of both": write two rules`;
    return { problem };
  }
  const tests: ArgumentTest[] = [];
  for (const argument of args) {
    const width = argumentWidth(call, argument.index);
    if (width === null) return { problem: whyNotScalar(call, argument.index) };
    const test = cut(argument, width);
    if (test === 'never')
      return { problem: `no value of the ${width} bits of argument ${argument.index} passes its test` };
    if (test !== 'always') tests.push(test);
  }
  return { tests };
}

/** Where a rule that refuses the call may hold: at least there. Null: nowhere. */
export function reachOf(call: string, args: readonly DocumentArgument[]): readonly ArgumentTest[] | null {
  const single = args.filter(({ index }) => args.filter((other) => other.index === index).length === 1);
  const tests: ArgumentTest[] = [];
  for (const argument of single) {
    const width = argumentWidth(call, argument.index);
    if (width === null) continue;
    const test = cut(argument, width);
    if (test === 'never') return null;
    if (test !== 'always') tests.push(test);
  }
  return tests;
}

/**
 * The kernel reads the low bits alone, so a program may put anything above them: a test of 64 bits is taken for the
 * values whose high bits are clear.
 */
function cut(
  { index: argument, op, value, valueTwo }: DocumentArgument,
  width: ArgumentWidth,
): ArgumentTest | 'always' | 'never' {
  const last = (1n << BigInt(width)) - 1n;
  const test = (datum: bigint, mask = last): ArgumentTest => ({ argument, op, width, value: datum, mask });
  switch (op) {
    case 'SCMP_CMP_MASKED_EQ':
      if ((valueTwo & ~(value & last)) !== 0n) return 'never';
      if ((value & last) === 0n) return 'always';
      if ((value & last) === last) return { ...test(valueTwo), op: 'SCMP_CMP_EQ' };
      return test(valueTwo, value & last);
    case 'SCMP_CMP_EQ':
      return value > last ? 'never' : test(value);
    case 'SCMP_CMP_NE':
      return value > last ? 'always' : test(value);
    case 'SCMP_CMP_LT':
      return value === 0n ? 'never' : value > last ? 'always' : test(value);
    case 'SCMP_CMP_LE':
      return value >= last ? 'always' : test(value);
    case 'SCMP_CMP_GE':
      return value === 0n ? 'always' : value > last ? 'never' : test(value);
    case 'SCMP_CMP_GT':
      return value >= last ? 'never' : test(value);
  }
}

export function toCondition({ argument, op, value, mask }: ArgumentTest): Condition {
  const condition: Condition = { argument, op, value: `0x${value.toString(16)}` };
  return op === 'SCMP_CMP_MASKED_EQ' ? { ...condition, mask: `0x${mask.toString(16)}` } : condition;
}
