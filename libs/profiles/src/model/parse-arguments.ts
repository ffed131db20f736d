/** The conditions of one rule from its JSON: each on a scalar argument, in range, and able to hold. */
import { type ArgumentWidth, argumentWidth, whyNotScalar } from '../kernel/argument-widths.js';
import { type Comparison, COMPARISONS, type Condition, type Hex } from './condition.js';
import { arrayOf, membersOf, ProfileError } from './parse-json.js';

const ARGUMENTS = 6;

/** @throws ProfileError */
export function parseArguments(value: unknown, names: readonly string[], at: string): readonly Condition[] {
  const conditions = arrayOf(value, at).map((item, index) => parseCondition(item, names, `${at}[${index}]`));
  if (conditions.length === 0) throw new ProfileError(at, 'must not be empty: leave it out to allow any arguments');
  return conditions;
}

function parseCondition(json: unknown, names: readonly string[], at: string): Condition {
  const members = membersOf(json, at, ['argument', 'op', 'value'], ['mask']);
  const argument = argumentOf(members.argument, `${at}.argument`);
  const op = COMPARISONS.find((known) => known === members.op);
  if (!op) throw new ProfileError(`${at}.op`, `must be one of ${COMPARISONS.join(', ')}`);
  const width = narrowest(argument, names, `${at}.argument`);
  const value = hexOf(members.value, width, `${at}.value`);
  const isMasked = op === 'SCMP_CMP_MASKED_EQ';
  if (isMasked !== (members.mask !== undefined)) {
    throw new ProfileError(`${at}.mask`, isMasked ? 'is missing' : 'belongs to SCMP_CMP_MASKED_EQ alone');
  }
  if (!isMasked) {
    requireChoice(op, BigInt(value), width, `${at}.value`);
    return { argument, op, value };
  }
  const mask = hexOf(members.mask, width, `${at}.mask`);
  if (mask === '0x0') throw new ProfileError(`${at}.mask`, 'must have a bit');
  if ((BigInt(value) & ~BigInt(mask)) !== 0n) {
    throw new ProfileError(`${at}.value`, 'has a bit outside the mask, so that the condition never holds');
  }
  return { argument, op, value, mask };
}

/** At the ends of the range a comparison holds always or never, which nobody means. */
function requireChoice(op: Comparison, value: bigint, width: ArgumentWidth, at: string): void {
  const isFirst = value === 0n && (op === 'SCMP_CMP_LT' || op === 'SCMP_CMP_GE');
  const isLast = value === (1n << BigInt(width)) - 1n && (op === 'SCMP_CMP_GT' || op === 'SCMP_CMP_LE');
  const outcome = op === 'SCMP_CMP_LT' || op === 'SCMP_CMP_GT' ? 'never' : 'always';
  if (isFirst || isLast) throw new ProfileError(at, `makes a condition that ${outcome} holds`);
}

function argumentOf(value: unknown, at: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < ARGUMENTS) return value;
  throw new ProfileError(at, `must be 0 to ${ARGUMENTS - 1}`);
}

function narrowest(argument: number, names: readonly string[], at: string): ArgumentWidth {
  const widths = names.map((name) => {
    const width = argumentWidth(name, argument);
    if (width === null) throw new ProfileError(at, whyNotScalar(name, argument));
    return width;
  });
  return widths.includes(32) ? 32 : 64;
}

function hexOf(value: unknown, width: ArgumentWidth, at: string): Hex {
  if (typeof value !== 'string' || !/^0x(?:0|[1-9a-f][0-9a-f]*)$/.test(value)) {
    throw new ProfileError(at, 'must be "0x" and a hexadecimal number in lower case without leading zeros');
  }
  if (BigInt(value) >> BigInt(width) !== 0n)
    throw new ProfileError(at, `must fit the ${width} bits that the kernel reads`);
  return value as Hex;
}
