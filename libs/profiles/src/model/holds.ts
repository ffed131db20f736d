/** What a condition means, for one value of its argument. */
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
