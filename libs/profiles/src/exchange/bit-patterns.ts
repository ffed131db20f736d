/** Sets of 32-bit values as patterns of bits, which is all that a masked comparison can say about a low word. */
import { type ArgumentTest } from '../filter/argument-test.js';

/** The values whose bits in `mask` are those of `value`. */
export interface BitPattern {
  readonly mask: bigint;
  readonly value: bigint;
}

const LAST = 0xffffffffn;
const ANYTHING: BitPattern = { mask: 0n, value: 0n };

/** The values for which all tests hold. Empty where there are none. */
export function patternsOf(tests: readonly ArgumentTest[]): readonly BitPattern[] {
  return tests.reduce<readonly BitPattern[]>(
    (held, test) => held.flatMap((pattern) => patternsOfOne(test).flatMap((other) => both(pattern, other))),
    [ANYTHING],
  );
}

function patternsOfOne({ op, mask, value }: ArgumentTest): readonly BitPattern[] {
  switch (op) {
    case 'SCMP_CMP_EQ':
    case 'SCMP_CMP_MASKED_EQ':
      return [{ mask, value }];
    case 'SCMP_CMP_NE':
      return [...range(0n, value - 1n), ...range(value + 1n, LAST)];
    case 'SCMP_CMP_LT':
      return range(0n, value - 1n);
    case 'SCMP_CMP_LE':
      return range(0n, value);
    case 'SCMP_CMP_GE':
      return range(value, LAST);
    case 'SCMP_CMP_GT':
      return range(value + 1n, LAST);
  }
}

/** Aligned blocks, each as large as it can be: at most 62 for any range. */
function range(first: bigint, last: bigint): readonly BitPattern[] {
  const blocks: BitPattern[] = [];
  for (let start = first; start <= last;) {
    let size = 1n;
    while (start % (size * 2n) === 0n && start + size * 2n - 1n <= last) size *= 2n;
    blocks.push({ mask: LAST - (size - 1n), value: start });
    start += size;
  }
  return blocks;
}

function both(a: BitPattern, b: BitPattern): readonly BitPattern[] {
  if (((a.value ^ b.value) & a.mask & b.mask) !== 0n) return [];
  return [{ mask: a.mask | b.mask, value: a.value | b.value }];
}
