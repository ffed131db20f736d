/** Conditions out of values: of one aware argument, and of memory that is never writable and executable at once. */
import { argumentWidth } from '../kernel/argument-widths.js';
import { type Alternative } from '../model/argument-rules.js';
import { type Condition, type Hex } from '../model/condition.js';
import { type AwareArgument } from './aware-arguments.js';

export function isValue(call: string, { argument, mask }: AwareArgument, use: bigint): Condition {
  const value: Hex = `0x${use.toString(16)}`;
  const all = (1n << BigInt(argumentWidth(call, argument) ?? 64)) - 1n;
  if (BigInt(mask) === all) return { argument, op: 'SCMP_CMP_EQ', value };
  return { argument, op: 'SCMP_CMP_MASKED_EQ', mask, value };
}

const without = (mask: Hex): Condition => ({ argument: 2, op: 'SCMP_CMP_MASKED_EQ', mask, value: '0x0' });

/** W^X: without PROT_EXEC, or without PROT_WRITE (asm-generic/mman-common.h). The protection is mmap's and mprotect's third. */
export const NOT_WRITABLE_AND_EXECUTABLE: readonly Alternative[] = [[without('0x4')], [without('0x2')]];

const WRITE_AND_EXECUTE = 6n;
export const PROTECTING: ReadonlySet<string> = new Set(['mmap', 'mprotect', 'pkey_mprotect']);

/** Memory that can be written is as dangerous however it came to be executable, so these calls are judged together. */
export function givesUpWriteXorExecute(protection: bigint): boolean {
  return (protection & WRITE_AND_EXECUTE) === WRITE_AND_EXECUTE;
}
