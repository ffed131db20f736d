/** Runs a filter as the kernel would, over one call: the oracle of the compiler's tests, and a dry run for reviewers. */
import {
  BPF_ALU_AND_K,
  BPF_JA,
  BPF_JEQ_K,
  BPF_JGE_K,
  BPF_JGT_K,
  BPF_JSET_K,
  BPF_LD_W_ABS,
  BPF_RET_K,
  SECCOMP_DATA_BYTES,
} from './bpf.js';
import { FilterError } from './filter-error.js';
import { type Instruction } from './instruction.js';

/** struct seccomp_data (linux/seccomp.h). */
export interface SeccompData {
  /** A signed int; -1 and 0xffffffff are the same number. */
  readonly nr: number;
  /** AUDIT_ARCH_* */
  readonly arch: number;
  readonly instructionPointer: bigint;
  /** Six 64-bit registers. */
  readonly args: readonly bigint[];
}

/** @returns the SECCOMP_RET_* value, unsigned. @throws FilterError INVALID_PROGRAM where the kernel would refuse it */
export function interpret(program: readonly Instruction[], data: SeccompData): number {
  const words = serialize(data);
  let accumulator = 0;
  for (let pc = 0; ; pc++) {
    const instruction = program[pc];
    if (!instruction) throw new FilterError('INVALID_PROGRAM', `the program runs past its end, to ${pc}`);
    const { code, jt, jf, k } = instruction;
    switch (code) {
      case BPF_LD_W_ABS:
        accumulator = words.getUint32(k, true);
        break;
      case BPF_ALU_AND_K:
        accumulator = (accumulator & k) >>> 0;
        break;
      case BPF_JA:
        pc += k;
        break;
      case BPF_JEQ_K:
        pc += accumulator === k ? jt : jf;
        break;
      case BPF_JGT_K:
        pc += accumulator > k ? jt : jf;
        break;
      case BPF_JGE_K:
        pc += accumulator >= k ? jt : jf;
        break;
      case BPF_JSET_K:
        pc += (accumulator & k) !== 0 ? jt : jf;
        break;
      case BPF_RET_K:
        return k;
      default:
        throw new FilterError(
          'INVALID_PROGRAM',
          `instruction ${pc}: code 0x${code.toString(16)} is not used in filters`,
        );
    }
  }
}

function serialize({ nr, arch, instructionPointer, args }: SeccompData): DataView {
  const view = new DataView(new ArrayBuffer(SECCOMP_DATA_BYTES));
  view.setInt32(0, nr, true);
  view.setUint32(4, arch, true);
  view.setBigUint64(8, instructionPointer, true);
  for (let argument = 0; argument < 6; argument++) view.setBigUint64(16 + 8 * argument, args[argument] ?? 0n, true);
  return view;
}
