/** From the uses of a call that were seen to the conditions that a profile holds it to. */
import { type Alternative, canonicalAlternatives } from '../model/argument-rules.js';
import { argumentWidth } from '../kernel/argument-widths.js';
import { type Condition, type Hex } from '../model/condition.js';
import { AWARE_ARGUMENTS, type AwareArgument } from './aware-arguments.js';
import { BENIGN_GROUPS, NEVER_HELD } from './benign-groups.js';

/** A value for each of the call's aware arguments, in their order. */
export type Use = readonly bigint[];

/** More distinct uses than this are no closed set: the next input would bring another. */
export const MAX_DISTINCT_USES = 16;

const ANY_ARGUMENTS: readonly Alternative[] = [[]];
const PROT_WRITE: Hex = '0x2';
const PROT_EXEC: Hex = '0x4';
const WRITE_AND_EXEC = 6n;
const PROTECTING: ReadonlySet<string> = new Set(['mmap', 'mprotect', 'pkey_mprotect']);

/** Alternatives in their order; [[]] where the call is not to be held to anything. `uses`: at least one. */
export function generaliseUses(call: string, uses: readonly Use[]): readonly Alternative[] {
  const aware = AWARE_ARGUMENTS[call];
  if (!aware || NEVER_HELD.has(call)) return ANY_ARGUMENTS;
  if (PROTECTING.has(call)) return generaliseProtection(uses);
  const distinct = new Map(uses.map((use) => [use.join(' '), use]));
  if (distinct.size > MAX_DISTINCT_USES) return ANY_ARGUMENTS;
  const groups = (BENIGN_GROUPS[call] ?? []).map((group) => group.map((use) => use.map(BigInt)));
  for (const group of groups) {
    if (group.some((use) => distinct.has(use.join(' ')))) group.forEach((use) => distinct.set(use.join(' '), use));
  }
  const alternatives = [...distinct.values()].map((use) =>
    aware.map((argument, index) => isValue(call, argument, use[index] ?? 0n)),
  );
  return canonicalAlternatives(alternatives);
}

/** Never executable, else never writable and executable at once: what a mapping holds is the files' matter. */
function generaliseProtection(uses: readonly Use[]): readonly Alternative[] {
  const protections = uses.map(([protection = 0n]) => protection);
  if (protections.some((protection) => (protection & WRITE_AND_EXEC) === WRITE_AND_EXEC)) return ANY_ARGUMENTS;
  const isUsed = protections.some((protection) => (protection & BigInt(PROT_EXEC)) !== 0n);
  return canonicalAlternatives([[without(PROT_EXEC)], ...(isUsed ? [[without(PROT_WRITE)]] : [])]);
}

function without(mask: Hex): Condition {
  return { argument: 2, op: 'SCMP_CMP_MASKED_EQ', mask, value: '0x0' };
}

function isValue(call: string, { argument, mask }: AwareArgument, use: bigint): Condition {
  const value: Hex = `0x${use.toString(16)}`;
  const all = (1n << BigInt(argumentWidth(call, argument) ?? 64)) - 1n;
  if (BigInt(mask) === all) return { argument, op: 'SCMP_CMP_EQ', value };
  return { argument, op: 'SCMP_CMP_MASKED_EQ', mask, value };
}
