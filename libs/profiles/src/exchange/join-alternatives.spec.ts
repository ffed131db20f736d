import { expect, it } from 'vitest';
import { argumentTest } from '../filter/argument-test.js';
import { type Condition } from '../model/condition.js';
import { holds } from '../model/holds.js';
import { toCondition } from './document-tests.js';
import { joinAlternatives } from './join-alternatives.js';
import { Chance, hex } from './oci.fixture.js';

const OPS = ['EQ', 'NE', 'LT', 'LE', 'GE', 'GT', 'MASKED_EQ'] as const;

/** Near the values that the conditions name, so that they touch and overlap. */
function conditionByChance(argument: number, chance: Chance): Condition {
  const op = chance.of(OPS);
  const value = 1n + BigInt(chance.below(12));
  if (op !== 'MASKED_EQ') return { argument, op: `SCMP_CMP_${op}`, value: hex(value) };
  const mask = chance.of([0xfffffffen, 0xfffffffcn, 0xffffffffn, 0x5n]);
  return { argument, op: 'SCMP_CMP_MASKED_EQ', value: hex(value & mask), mask: hex(mask) };
}

it.each(Array.from({ length: 200 }, (_, seed) => seed))('says the same in fewer alternatives, by chance %i', (seed) => {
  const chance = new Chance(seed + 1);
  const alternatives = Array.from({ length: 1 + chance.below(6) }, () =>
    (chance.next() < 0.6 ? [0] : [0, 1]).map((argument) => conditionByChance(argument, chance)),
  );
  const joined = joinAlternatives(
    alternatives.map((conditions) => conditions.map((condition) => argumentTest('dup3', condition))),
  ).map((tests) => tests.map(toCondition));
  expect(joined.length).toBeLessThanOrEqual(alternatives.length);
  const passes = (of: readonly (readonly Condition[])[], args: readonly bigint[]): boolean =>
    of.some((conditions) => conditions.every((condition) => holds(condition, args[condition.argument] ?? 0n)));
  const values = [...Array.from({ length: 20 }, (_, value) => BigInt(value)), 0xfffffffen, 0xffffffffn];
  const wrong = values.flatMap((first) =>
    values.flatMap((second) =>
      passes(alternatives, [first, second]) === passes(joined, [first, second]) ? [] : [[first, second]],
    ),
  );
  expect(wrong).toEqual([]);
});

it('keeps a list of values as it is', () => {
  const tests = [1, 2, 3].map((value) => [
    argumentTest('dup3', { argument: 0, op: 'SCMP_CMP_EQ', value: `0x${value}` }),
  ]);
  expect(joinAlternatives(tests)).toEqual(tests);
});
