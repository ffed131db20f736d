/** Values of an argument as spans of neighbours: what several tests of it mean together. */
import { type ArgumentTest } from '../filter/argument-test.js';

/** Both ends belong to it. */
export interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

export function lastOf({ width }: ArgumentTest): bigint {
  return (1n << BigInt(width)) - 1n;
}

/** Sorted. Null for a mask with holes, whose values are no neighbours. */
export function spansOf(test: ArgumentTest): readonly Span[] | null {
  const { op, mask, value } = test;
  const last = lastOf(test);
  switch (op) {
    case 'SCMP_CMP_EQ':
    case 'SCMP_CMP_MASKED_EQ': {
      const free = last & ~mask;
      return (free & (free + 1n)) === 0n ? [{ first: value, last: value | free }] : null;
    }
    case 'SCMP_CMP_NE':
      return unionOf([span(0n, value - 1n), span(value + 1n, last)].flat());
    case 'SCMP_CMP_LT':
      return span(0n, value - 1n);
    case 'SCMP_CMP_LE':
      return span(0n, value);
    case 'SCMP_CMP_GE':
      return span(value, last);
    case 'SCMP_CMP_GT':
      return span(value + 1n, last);
  }
}

function span(first: bigint, last: bigint): readonly Span[] {
  return first <= last ? [{ first, last }] : [];
}

/** Sorted, neighbours put together. */
export function unionOf(spans: readonly Span[]): readonly Span[] {
  const union: Span[] = [];
  for (const next of [...spans].sort((a, b) => (a.first < b.first ? -1 : 1))) {
    const previous = union.at(-1);
    if (previous === undefined || next.first > previous.last + 1n) union.push(next);
    else if (next.last > previous.last) union[union.length - 1] = { first: previous.first, last: next.last };
  }
  return union;
}

/** What a union leaves out of 0 to `last`. */
export function gapsOf(union: readonly Span[], last: bigint): readonly Span[] {
  const starts = [0n, ...union.map((part) => part.last + 1n)];
  const ends = [...union.map((part) => part.first - 1n), last];
  return starts.flatMap((first, index) => span(first, ends[index] ?? last));
}

/** Whether no value passes both; false where that is not known. Tests of one argument. */
export function excludeOneAnother(a: ArgumentTest, b: ArgumentTest): boolean {
  if (isPattern(a) && isPattern(b)) return ((a.value ^ b.value) & a.mask & b.mask) !== 0n;
  const [mine, other] = [spansOf(a), spansOf(b)];
  if (!mine || !other) return false;
  return mine.every((one) => other.every((two) => one.last < two.first || two.last < one.first));
}

function isPattern({ op }: ArgumentTest): boolean {
  return op === 'SCMP_CMP_EQ' || op === 'SCMP_CMP_MASKED_EQ';
}
