/** The classic-BPF words that seccomp accepts and Porin uses (linux/bpf_common.h, seccomp.h, audit.h), and their makers. */
import { type Architecture } from '../model/profile.js';
import { type Instruction } from './instruction.js';

export const BPF_LD_W_ABS = 0x20;
export const BPF_ALU_AND_K = 0x54;
export const BPF_JA = 0x05;
export const BPF_JEQ_K = 0x15;
export const BPF_JGT_K = 0x25;
export const BPF_JGE_K = 0x35;
export const BPF_JSET_K = 0x45;
export const BPF_RET_K = 0x06;

/** BPF_MAXINSNS: the kernel refuses a longer program. */
export const MAX_INSTRUCTIONS = 4096;
/** A conditional jump's offset is eight bits. */
export const MAX_CONDITIONAL_JUMP = 0xff;

export const SECCOMP_RET_KILL_PROCESS = 0x80000000;
export const SECCOMP_RET_ERRNO = 0x00050000;
export const SECCOMP_RET_USER_NOTIF = 0x7fc00000;
export const SECCOMP_RET_ALLOW = 0x7fff0000;
/** The part of a return value that says what to do; the low 16 bits are its data (an errno). */
export const SECCOMP_RET_ACTION_FULL = 0xffff0000;
export const SECCOMP_RET_DATA = 0x0000ffff;

export const EPERM = 1;
export const ENOSYS = 38;
export const ERRNO = { EPERM, ENOSYS } as const;

export const AUDIT_ARCH: Readonly<Record<Architecture, number>> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };

/** Byte offsets in struct seccomp_data. Both architectures are little-endian, so an argument's low word comes first. */
export const OFFSET_NR = 0;
export const OFFSET_ARCH = 4;
export const SECCOMP_DATA_BYTES = 64;
export const offsetOfArgumentLow = (argument: number): number => 16 + 8 * argument;
export const offsetOfArgumentHigh = (argument: number): number => 20 + 8 * argument;

export const load = (offset: number): Instruction => ({ code: BPF_LD_W_ABS, jt: 0, jf: 0, k: offset });
export const and = (mask: number): Instruction => ({ code: BPF_ALU_AND_K, jt: 0, jf: 0, k: mask });
export const jumpAlways = (skip: number): Instruction => ({ code: BPF_JA, jt: 0, jf: 0, k: skip });
export const ret = (value: number): Instruction => ({ code: BPF_RET_K, jt: 0, jf: 0, k: value });
