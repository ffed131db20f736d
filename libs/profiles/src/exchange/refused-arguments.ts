/** The arguments with which a call is refused: all that none of its alternatives allows. */
import { type AnyOf } from '../filter/assemble.js';
import { type Comparison } from '../model/condition.js';
import { argumentAlternatives, type OciArgument } from './oci-arguments.js';

/** One test an argument, by index; all must hold. */
type Region = ReadonlyMap<number, OciArgument>;

const OPPOSITE: Readonly<Record<Exclude<Comparison, 'SCMP_CMP_MASKED_EQ'>, Comparison>> = {
  SCMP_CMP_EQ: 'SCMP_CMP_NE',
  SCMP_CMP_NE: 'SCMP_CMP_EQ',
  SCMP_CMP_LT: 'SCMP_CMP_GE',
  SCMP_CMP_GE: 'SCMP_CMP_LT',
  SCMP_CMP_LE: 'SCMP_CMP_GT',
  SCMP_CMP_GT: 'SCMP_CMP_LE',
};

/**
 * Regions that may overlap; one must fail of `allOf`. Null where the format cannot say them, or only in more than
 * `maximum`.
 */
export function refusedArguments(allOf: readonly AnyOf[], maximum: number): readonly (readonly OciArgument[])[] | null {
  const found: (readonly OciArgument[])[] = [];
  for (const anyOf of allOf.flatMap(byArgument)) {
    const { alternatives, narrowed } = argumentAlternatives([anyOf]);
    const outside = narrowed ? null : outsideOf(alternatives, maximum);
    if (outside === null) return null;
    found.push(...outside);
  }
  return found.length > maximum ? null : found;
}

/**
 * Alternatives that are every combination of what they say of each argument, a single one above all, fail where one
 * argument fails: then each is looked at alone.
 */
function byArgument(anyOf: AnyOf): readonly AnyOf[] {
  const places = [...new Set(anyOf.flat().map(({ argument }) => argument))];
  const apart = places.map((place) => different(anyOf.map((tests) => tests.filter((test) => test.argument === place))));
  const combinations = apart.reduce((product, { length }) => product * length, 1);
  return combinations === different(anyOf).length ? apart : [anyOf];
}

function different(anyOf: AnyOf): AnyOf {
  const keyOf = (tests: AnyOf[number]): string =>
    tests.map(({ argument, op, mask, value }) => `${argument} ${op} ${mask} ${value}`).join();
  return [...new Map(anyOf.map((tests) => [keyOf(tests), tests])).values()];
}

/** Where none of the alternatives holds, in regions that do not overlap. */
function outsideOf(alternatives: readonly (readonly OciArgument[])[], maximum: number) {
  let regions: readonly Region[] = [new Map()];
  for (const alternative of alternatives) {
    const left: Region[] = [];
    for (const region of regions) {
      const parts = without(region, alternative);
      if (parts === null) return null;
      left.push(...parts);
    }
    if (left.length > maximum) return null;
    regions = left;
  }
  return regions.map((region) => [...region.values()].sort((a, b) => a.index - b.index));
}

/** The parts of the region where a test of the alternative fails, the tests before it holding. */
function without(region: Region, alternative: readonly OciArgument[]): Region[] | null {
  const parts: Region[] = [];
  let held = region;
  for (const test of alternative) {
    const split = splitBy(held.get(test.index), test);
    if (split === null) return null;
    for (const outside of split.outside) parts.push(new Map(held).set(test.index, outside));
    if (split.inside === null) return parts;
    held = new Map(held).set(test.index, split.inside);
  }
  return parts;
}

interface Split {
  readonly inside: OciArgument | null;
  readonly outside: readonly OciArgument[];
}

/** What is tested already, cut in two by a further test. Null where two tests of one argument would be needed. */
function splitBy(own: OciArgument | undefined, test: OciArgument): Split | null {
  if (test.op === 'SCMP_CMP_MASKED_EQ') {
    if (own === undefined) return splitBits({ mask: 0n, value: 0n }, test);
    if (own.op === 'SCMP_CMP_MASKED_EQ') {
      return splitBits({ mask: BigInt(own.value), value: BigInt(own.valueTwo) }, test);
    }
    return null;
  }
  const opposite: OciArgument = { ...test, op: OPPOSITE[test.op] };
  if (own === undefined) return { inside: test, outside: [opposite] };
  if (isSame(own, test)) return { inside: own, outside: [] };
  if (isSame(own, opposite)) return { inside: null, outside: [own] };
  return null;
}

/** A value differs from the pattern at a first bit, the highest. */
function splitBits(own: { readonly mask: bigint; readonly value: bigint }, test: OciArgument): Split {
  const pattern = { mask: BigInt(test.value), value: BigInt(test.valueTwo) };
  const masked = (mask: bigint, value: bigint): OciArgument => ({
    index: test.index,
    value: Number(mask),
    valueTwo: Number(value),
    op: 'SCMP_CMP_MASKED_EQ',
  });
  if (((own.value ^ pattern.value) & own.mask & pattern.mask) !== 0n) {
    return { inside: null, outside: [masked(own.mask, own.value)] };
  }
  const outside: OciArgument[] = [];
  let { mask, value } = own;
  for (let bit = 1n << 63n; bit > 0n; bit >>= 1n) {
    if ((pattern.mask & ~own.mask & bit) === 0n) continue;
    outside.push(masked(mask | bit, value | (~pattern.value & bit)));
    mask |= bit;
    value |= pattern.value & bit;
  }
  return { inside: masked(mask, value), outside };
}

function isSame(a: OciArgument, b: OciArgument): boolean {
  return a.op === b.op && a.value === b.value;
}
