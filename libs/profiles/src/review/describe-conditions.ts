/** Conditions in words that a reviewer reads: "argument 1 is F_GETFL". */
import { bitsInWords, valueInWords } from '../kernel/describe-call.js';
import { AWARE_ARGUMENTS } from '../learn/aware-arguments.js';
import { type Alternative } from '../model/argument-rules.js';
import { type Condition, type Hex } from '../model/condition.js';

const COMPARED: Readonly<Record<Exclude<Condition['op'], 'SCMP_CMP_MASKED_EQ'>, string>> = {
  SCMP_CMP_NE: 'is not',
  SCMP_CMP_LT: '<',
  SCMP_CMP_LE: '<=',
  SCMP_CMP_EQ: 'is',
  SCMP_CMP_GE: '>=',
  SCMP_CMP_GT: '>',
};

/** All must hold. "any arguments" where there are none. */
export function describeConditions(call: string, conditions: Alternative): string {
  if (conditions.length === 0) return 'any arguments';
  return conditions.map((condition) => describe(call, condition, conditions)).join(', ');
}

function describe(call: string, condition: Condition, beside: Alternative): string {
  const { argument, op, value, mask = '0x0' } = condition;
  const subject = `argument ${argument}`;
  const words = valueInWords(call, argument, BigInt(value), (other) => onlyValue(beside, other)) ?? value;
  if (op !== 'SCMP_CMP_MASKED_EQ') return `${subject} ${COMPARED[op]} ${words}`;
  // The bits left out of the mask are those that make no difference.
  const isAware = AWARE_ARGUMENTS[call]?.some((aware) => aware.argument === argument && aware.mask === mask);
  if (isAware) return `${subject} is ${words}`;
  if (value === '0x0') return `${subject} without ${bitsOf(call, argument, mask)}`;
  if (value === mask) return `${subject} with ${bitsOf(call, argument, mask)}`;
  return `${subject} & ${mask} is ${words}`;
}

function bitsOf(call: string, argument: number, mask: Hex): string {
  return bitsInWords(call, argument, BigInt(mask)) ?? mask;
}

/** What the conditions leave of an argument, if that is one value. */
function onlyValue(conditions: Alternative, argument: number): bigint | undefined {
  const equal = conditions.find((condition) => condition.argument === argument && condition.op === 'SCMP_CMP_EQ');
  return equal && BigInt(equal.value);
}
