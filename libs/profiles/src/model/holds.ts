/** What a condition means for a value of its argument, and what conditions mean together. */
import { type Alternative } from './argument-rules.js';
import { type Condition } from './condition.js';

/** `value`: of the argument, cut to its width. */
export function holds({ op, value: text, mask }: Condition, value: bigint): boolean {
  const datum = BigInt(text);
  switch (op) {
    case 'SCMP_CMP_NE':
      return value !== datum;
    case 'SCMP_CMP_LT':
      return value < datum;
    case 'SCMP_CMP_LE':
      return value <= datum;
    case 'SCMP_CMP_EQ':
      return value === datum;
    case 'SCMP_CMP_GE':
      return value >= datum;
    case 'SCMP_CMP_GT':
      return value > datum;
    case 'SCMP_CMP_MASKED_EQ':
      return (value & BigInt(mask ?? 0)) === datum;
  }
}

/** Whether a call with these values, by argument, may satisfy all conditions: those on other arguments can be satisfied. */
export function mayHold(conditions: Alternative, values: Readonly<Record<number, number>>): boolean {
  return conditions.every((condition) => {
    const value = values[condition.argument];
    return value === undefined || holds(condition, BigInt(value));
  });
}
