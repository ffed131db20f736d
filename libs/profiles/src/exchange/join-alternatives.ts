/** Alternatives that differ in one argument alone, put together where one condition says what they say. */
import { type ArgumentTest } from '../filter/argument-test.js';
import { gapsOf, lastOf, type Span, spansOf, unionOf } from './spans.js';

/** Tests that must all hold. */
type Tests = readonly ArgumentTest[];

/** Values that are written as "none of these", at most. */
const EXCEPTIONS_MAXIMUM = 8n;

/** Another form of the same: the 32 masked comparisons of an export become the one "not equal" that they came from. */
export function joinAlternatives(alternatives: readonly Tests[]): readonly Tests[] {
  const places = new Set(alternatives.flat().map(({ argument }) => argument));
  return [...places].reduce(joinOver, alternatives);
}

function joinOver(alternatives: readonly Tests[], place: number): readonly Tests[] {
  const groups = new Map<string, { readonly others: Tests; readonly own: Tests[] }>();
  for (const tests of alternatives) {
    const others = tests.filter(({ argument }) => argument !== place);
    const key = others.map(({ argument, op, mask, value }) => [argument, op, mask, value].join()).join(';');
    const group = groups.get(key) ?? { others, own: [] };
    group.own.push(tests.filter(({ argument }) => argument === place));
    groups.set(key, group);
  }
  return [...groups.values()].flatMap(({ others, own }) => joined(own).map((tests) => [...others, ...tests]));
}

/** Of one argument. None of them without tests: then the others say nothing. */
function joined(alternatives: readonly Tests[]): readonly Tests[] {
  if (alternatives.some((tests) => tests.length === 0)) return [[]];
  const spread = alternatives.map((tests) => ({ tests, spans: spansTogether(tests) }));
  const known = spread.flatMap(({ tests, spans }) => (spans ? [{ tests, spans }] : []));
  const [sample] = known.flatMap(({ tests }) => tests);
  if (!sample || known.length < 2) return alternatives;
  const rest = spread.flatMap(({ tests, spans }) => (spans ? [] : [tests]));
  const union = unionOf(known.flatMap(({ spans }) => spans));
  const gaps = gapsOf(union, lastOf(sample));
  if (gaps.length === 0) return [[]];
  if (gaps.reduce((sum, { first, last }) => sum + (last - first) + 1n, 0n) <= EXCEPTIONS_MAXIMUM) {
    return [gaps.flatMap(valuesOf).map((value) => compare(sample, 'SCMP_CMP_NE', value)), ...rest];
  }
  const runs = union.flatMap((run) => {
    const members = known.filter(({ spans }) =>
      spans.every(({ first, last }) => first >= run.first && last <= run.last),
    );
    const isList = members.every(({ spans }) => spans.every(isSingle));
    const whole = between(sample, run);
    return isList || members.length <= whole.length ? members.map(({ tests }) => tests) : [whole];
  });
  const divided = known.filter(({ spans }) => new Set(spans.map(({ first }) => runOf(union, first))).size > 1);
  return [...runs, ...divided.map(({ tests }) => tests), ...rest];
}

function runOf(union: readonly Span[], value: bigint): number {
  return union.findIndex(({ first, last }) => value >= first && value <= last);
}

/** Where all tests hold. Null where one has a mask with holes. */
function spansTogether(tests: Tests): readonly Span[] | null {
  let together: readonly Span[] | null = null;
  for (const test of tests) {
    const spans = spansOf(test);
    if (!spans) return null;
    together = together ? common(together, spans) : spans;
  }
  return together;
}

function common(a: readonly Span[], b: readonly Span[]): readonly Span[] {
  return a.flatMap((one) =>
    b.flatMap((two) => {
      const first = one.first > two.first ? one.first : two.first;
      const last = one.last < two.last ? one.last : two.last;
      return first <= last ? [{ first, last }] : [];
    }),
  );
}

function valuesOf({ first, last }: Span): readonly bigint[] {
  return Array.from({ length: Number(last - first) + 1 }, (_, offset) => first + BigInt(offset));
}

const isSingle = ({ first, last }: Span): boolean => first === last;

function between(sample: ArgumentTest, { first, last }: Span): Tests {
  if (first === last) return [compare(sample, 'SCMP_CMP_EQ', first)];
  return [
    ...(first > 0n ? [compare(sample, 'SCMP_CMP_GE', first)] : []),
    ...(last < lastOf(sample) ? [compare(sample, 'SCMP_CMP_LE', last)] : []),
  ];
}

function compare(sample: ArgumentTest, op: ArgumentTest['op'], value: bigint): ArgumentTest {
  const { argument, width } = sample;
  return { argument, width, op, value, mask: lastOf(sample) };
}
