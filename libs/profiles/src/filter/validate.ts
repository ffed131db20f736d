/** What the kernel checks of a seccomp program before it loads it (seccomp_check_filter, bpf_check_classic), and as strictly. */
import {
  BPF_ALU_AND_K,
  BPF_JA,
  BPF_JEQ_K,
  BPF_JGE_K,
  BPF_JGT_K,
  BPF_JSET_K,
  BPF_LD_W_ABS,
  BPF_RET_K,
  MAX_INSTRUCTIONS,
  SECCOMP_DATA_BYTES,
} from './bpf.js';
import { FilterError } from './filter-error.js';
import { type Instruction } from './instruction.js';

/**
 * Every jump goes forward and stays inside, every path ends in RET, every load is an aligned word of seccomp_data.
 * @throws FilterError INVALID_PROGRAM
 */
export function validateProgram(program: readonly Instruction[]): void {
  const { length } = program;
  if (length === 0 || length > MAX_INSTRUCTIONS) {
    throw new FilterError('INVALID_PROGRAM', `a filter has 1 to ${MAX_INSTRUCTIONS} instructions, this one ${length}`);
  }
  program.forEach((instruction, index) => {
    const problem = problemOf(instruction, length - 1 - index);
    if (problem) throw new FilterError('INVALID_PROGRAM', `instruction ${index}: ${problem}`);
  });
}

/** @param following how many instructions come after this one */
function problemOf({ code, jt, jf, k }: Instruction, following: number): string | undefined {
  if (!isUnsigned(k, 32) || !isUnsigned(jt, 8) || !isUnsigned(jf, 8)) return 'a field is out of its range';
  switch (code) {
    case BPF_LD_W_ABS:
      if (k % 4 !== 0 || k >= SECCOMP_DATA_BYTES) return `loads at ${k}, which is no word of seccomp_data`;
      break;
    case BPF_ALU_AND_K:
      break;
    case BPF_JA:
      return k < following ? undefined : 'jumps out of the program';
    case BPF_JEQ_K:
    case BPF_JGT_K:
    case BPF_JGE_K:
    case BPF_JSET_K:
      return Math.max(jt, jf) < following ? undefined : 'jumps out of the program';
    case BPF_RET_K:
      return undefined;
    default:
      return `code 0x${code.toString(16)} is not used in filters`;
  }
  return following > 0 ? undefined : 'the program ends without RET';
}

function isUnsigned(value: number, bits: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** bits;
}
