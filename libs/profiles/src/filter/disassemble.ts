/** A program as text, one instruction a line, for people who review or debug a filter. */
import {
  BPF_ALU_AND_K,
  BPF_JA,
  BPF_JEQ_K,
  BPF_JGE_K,
  BPF_JGT_K,
  BPF_JSET_K,
  BPF_LD_W_ABS,
  BPF_RET_K,
  OFFSET_ARCH,
  OFFSET_NR,
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_USER_NOTIF,
} from './bpf.js';
import { type Instruction } from './instruction.js';

const JUMPS: Readonly<Record<number, string>> = {
  [BPF_JEQ_K]: 'jeq',
  [BPF_JGT_K]: 'jgt',
  [BPF_JGE_K]: 'jge',
  [BPF_JSET_K]: 'jset',
};
const ACTIONS: Readonly<Record<number, string>> = {
  [SECCOMP_RET_ALLOW]: 'ALLOW',
  [SECCOMP_RET_USER_NOTIF]: 'USER_NOTIF',
  [SECCOMP_RET_ERRNO]: 'ERRNO',
  [SECCOMP_RET_KILL_PROCESS]: 'KILL_PROCESS',
};

export function disassemble(program: readonly Instruction[]): string {
  return program.map((instruction, index) => `${index}: ${textOf(instruction, index + 1)}\n`).join('');
}

function textOf({ code, jt, jf, k }: Instruction, next: number): string {
  const jump = JUMPS[code];
  if (jump) return `${jump} ${hex(k)} ? ${next + jt} : ${next + jf}`;
  if (code === BPF_LD_W_ABS) return `ld ${fieldAt(k)}`;
  if (code === BPF_ALU_AND_K) return `and ${hex(k)}`;
  if (code === BPF_JA) return `ja ${next + k}`;
  if (code === BPF_RET_K) return `ret ${actionOf(k)}`;
  return `code ${hex(code)} jt ${jt} jf ${jf} k ${hex(k)}`;
}

function fieldAt(offset: number): string {
  if (offset === OFFSET_NR) return 'nr';
  if (offset === OFFSET_ARCH) return 'arch';
  if (offset < 16) return `instruction_pointer+${offset - 8}`;
  return `args[${(offset - 16) >> 3}].${offset % 8 === 0 ? 'low' : 'high'}`;
}

function actionOf(value: number): string {
  const action = ACTIONS[(value & SECCOMP_RET_ACTION_FULL) >>> 0] ?? hex(value);
  const data = value & SECCOMP_RET_DATA;
  return data === 0 ? action : `${action}(${data})`;
}

const hex = (value: number): string => `0x${value.toString(16)}`;
