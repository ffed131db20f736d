/** Conditions in the words of an OCI seccomp profile, whose comparisons are all 64 bits wide. */
import { type ArgumentTest } from '../filter/argument-test.js';
import { type AnyOf } from '../filter/assemble.js';
import { type Comparison } from '../model/condition.js';
import { patternsOf } from './bit-patterns.js';

/** For SCMP_CMP_MASKED_EQ `value` is the mask and `valueTwo` what the masked argument must be (libseccomp, seccomp_rule_add(3)). */
export interface OciArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo: number;
  readonly op: Comparison;
}

export interface OciAlternatives {
  /** Each is the arguments of one rule; the call may be made when one of them holds. */
  readonly alternatives: readonly (readonly OciArgument[])[];
  /** True where the format cannot say all of it: then less is allowed than the filter does, and never more. */
  readonly narrowed: boolean;
}

/** Rules of one call, at most. */
const MAX_ALTERNATIVES = 1024;

/** What must hold together: of each of `allOf` one alternative. */
export function argumentAlternatives(allOf: readonly AnyOf[]): OciAlternatives {
  const combined = allOf.reduce<AnyOf>(
    (whole, anyOf) => whole.flatMap((tests) => anyOf.map((more) => [...tests, ...more])),
    [[]],
  );
  const found = new Map<string, readonly OciArgument[]>();
  let narrowed = false;
  for (const tests of combined) {
    const ways = waysToHold(tests);
    if (ways === null || found.size + ways.length > MAX_ALTERNATIVES) narrowed = true;
    else for (const way of ways) found.set(JSON.stringify(way), way);
  }
  return { alternatives: [...found.values()], narrowed };
}

/**
 * Each with one test an argument: runc reads a second test of the same one as an alternative. Null: it cannot be said.
 */
function waysToHold(tests: readonly ArgumentTest[]): readonly (readonly OciArgument[])[] | null {
  let ways: readonly (readonly OciArgument[])[] = [[]];
  for (const argument of new Set(tests.map((test) => test.argument))) {
    const forms = formsOf(tests.filter((test) => test.argument === argument));
    if (forms === null || ways.length * forms.length > MAX_ALTERNATIVES) return null;
    ways = ways.flatMap((way) => forms.map((form) => [...way, form]));
  }
  return ways;
}

/** Alternatives that together say what the tests of one argument say. */
function formsOf(tests: readonly ArgumentTest[]): readonly OciArgument[] | null {
  const [first] = tests;
  if (!first) return [];
  const index = first.argument;
  // The high word is masked out: a plain comparison could be got past by setting it.
  if (first.width === 32) return patternsOf(tests).map(({ mask, value }) => masked(index, mask, value));
  const { op, mask, value } = first;
  const numbers = op === 'SCMP_CMP_MASKED_EQ' ? [mask, value] : [value];
  if (tests.length > 1 || !numbers.every(isExact)) return null;
  return [op === 'SCMP_CMP_MASKED_EQ' ? masked(index, mask, value) : { index, value: Number(value), valueTwo: 0, op }];
}

/** Whether it comes unchanged through JSON as JavaScript writes it. */
function isExact(number: bigint): boolean {
  return number <= BigInt(Number.MAX_SAFE_INTEGER);
}

function masked(index: number, mask: bigint, value: bigint): OciArgument {
  return { index, value: Number(mask), valueTwo: Number(value), op: 'SCMP_CMP_MASKED_EQ' };
}
