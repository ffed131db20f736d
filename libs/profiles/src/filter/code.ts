/** Builds a program from its end, so that the target of every jump is already in place and its distance known. */
import { BPF_JEQ_K, BPF_JGE_K, BPF_JGT_K, jumpAlways, MAX_CONDITIONAL_JUMP } from './bpf.js';
import { type Instruction } from './instruction.js';

/** An instruction already built: how many there are from it to the end of the program, itself included. */
export type Label = number;

export class Code {
  readonly #reversed: Instruction[] = [];

  /** Puts the instruction in front of everything built so far. */
  emit(instruction: Instruction): Label {
    return this.#reversed.push(instruction);
  }

  jumpIfEqual(k: number, yes: Label, no: Label): Label {
    return this.#jump(BPF_JEQ_K, k, yes, no);
  }

  jumpIfGreater(k: number, yes: Label, no: Label): Label {
    return this.#jump(BPF_JGT_K, k, yes, no);
  }

  jumpIfAtLeast(k: number, yes: Label, no: Label): Label {
    return this.#jump(BPF_JGE_K, k, yes, no);
  }

  get length(): number {
    return this.#reversed.length;
  }

  /** The program; its first instruction is the one built last. */
  instructions(): Instruction[] {
    return [...this.#reversed].reverse();
  }

  /** Where a target lies beyond a conditional jump's reach, the jump goes to an unconditional one right behind it. */
  #jump(code: number, k: number, yes: Label, no: Label): Label {
    // One less for the first: the second may put an instruction between.
    const nearNo = this.#near(no, MAX_CONDITIONAL_JUMP - 1);
    const nearYes = this.#near(yes, MAX_CONDITIONAL_JUMP);
    return this.emit({ code, jt: this.length - nearYes, jf: this.length - nearNo, k });
  }

  #near(label: Label, reach: number): Label {
    const skip = this.length - label;
    return skip <= reach ? label : this.emit(jumpAlways(skip));
  }
}
