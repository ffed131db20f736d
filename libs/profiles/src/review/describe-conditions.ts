/** Conditions in words that a reviewer reads: "argument 1 is F_GETFL". */
import { AWARE_ARGUMENTS } from '../learn/aware-arguments.js';
import { type Alternative } from '../model/argument-rules.js';
import {
  BPF_COMMANDS,
  CLONE_FLAGS,
  flags,
  hex,
  PRCTL_OPTIONS,
  PROTECTIONS,
  PTRACE_REQUESTS,
  RESOURCES,
  SECCOMP_FILTER_FLAGS,
  SECCOMP_OPERATIONS,
  SOCKET_FAMILIES,
  SOCKET_TYPES,
  UNSHARE_FLAGS,
  type Words,
} from '../kernel/argument-words.js';
import { type Condition } from '../model/condition.js';
import {
  EPOLL_OPERATIONS,
  FALLOCATE_MODES,
  FCNTL_COMMANDS,
  IOCTL_REQUESTS,
  RENAME_FLAGS,
  SOCKET_LEVELS,
  SOCKET_OPTIONS,
  WHENCES,
} from '../kernel/descriptor-words.js';
import {
  ADVICES,
  ARCH_PRCTL_OPTIONS,
  CLOCKS,
  FUTEX_OPERATIONS,
  IPC_COMMANDS,
  MAPPINGS,
  MEMBARRIER_COMMANDS,
  MEMFD_FLAGS,
  REMAPPINGS,
  SCHEDULING_POLICIES,
} from '../kernel/memory-words.js';

interface Naming {
  readonly words: Words;
  /** Bits to be named one by one. */
  readonly isFlags?: true;
}

const one = (words: Words): Naming => ({ words });
const bits = (words: Words): Naming => ({ words, isFlags: true });

/** By call, for each argument; a gap where numbers have no names. */
const NAMINGS: Readonly<Record<string, readonly (Naming | null)[]>> = {
  socket: [one(SOCKET_FAMILIES), one(SOCKET_TYPES)],
  socketpair: [one(SOCKET_FAMILIES), one(SOCKET_TYPES)],
  setsockopt: [null, one(SOCKET_LEVELS), one(SOCKET_OPTIONS)],
  getsockopt: [null, one(SOCKET_LEVELS), one(SOCKET_OPTIONS)],
  fcntl: [null, one(FCNTL_COMMANDS)],
  ioctl: [null, one(IOCTL_REQUESTS)],
  prctl: [one(PRCTL_OPTIONS)],
  arch_prctl: [one(ARCH_PRCTL_OPTIONS)],
  bpf: [one(BPF_COMMANDS)],
  seccomp: [one(SECCOMP_OPERATIONS), bits(SECCOMP_FILTER_FLAGS)],
  ptrace: [one(PTRACE_REQUESTS)],
  clone: [bits(CLONE_FLAGS)],
  unshare: [bits(UNSHARE_FLAGS)],
  setns: [null, bits(UNSHARE_FLAGS)],
  mmap: [null, null, bits(PROTECTIONS), bits(MAPPINGS)],
  mprotect: [null, null, bits(PROTECTIONS)],
  pkey_mprotect: [null, null, bits(PROTECTIONS)],
  mremap: [null, null, null, bits(REMAPPINGS)],
  madvise: [null, null, one(ADVICES)],
  process_madvise: [null, null, null, one(ADVICES)],
  memfd_create: [null, bits(MEMFD_FLAGS)],
  shmctl: [null, one(IPC_COMMANDS)],
  msgctl: [null, one(IPC_COMMANDS)],
  semctl: [null, null, one(IPC_COMMANDS)],
  futex: [null, one(FUTEX_OPERATIONS)],
  epoll_ctl: [null, one(EPOLL_OPERATIONS)],
  membarrier: [one(MEMBARRIER_COMMANDS)],
  prlimit64: [null, one(RESOURCES)],
  getrlimit: [one(RESOURCES)],
  setrlimit: [one(RESOURCES)],
  clock_gettime: [one(CLOCKS)],
  clock_settime: [one(CLOCKS)],
  clock_adjtime: [one(CLOCKS)],
  timerfd_create: [one(CLOCKS)],
  sched_setscheduler: [null, one(SCHEDULING_POLICIES)],
  lseek: [null, null, one(WHENCES)],
  fallocate: [null, bits(FALLOCATE_MODES)],
  renameat2: [null, null, null, null, bits(RENAME_FLAGS)],
};

const COMPARED: Readonly<Record<Exclude<Condition['op'], 'SCMP_CMP_MASKED_EQ'>, string>> = {
  SCMP_CMP_NE: 'is not',
  SCMP_CMP_LT: '<',
  SCMP_CMP_LE: '<=',
  SCMP_CMP_EQ: 'is',
  SCMP_CMP_GE: '>=',
  SCMP_CMP_GT: '>',
};

/** All must hold. "any arguments" where there are none. */
export function describeConditions(call: string, conditions: Alternative): string {
  if (conditions.length === 0) return 'any arguments';
  return conditions.map((condition) => describe(call, condition, conditions)).join(', ');
}

function describe(call: string, condition: Condition, beside: Alternative): string {
  const { argument, op, value, mask } = condition;
  const subject = `argument ${argument}`;
  const name = (number: string): string => nameOf(namingOf(call, argument, beside), BigInt(number));
  if (op !== 'SCMP_CMP_MASKED_EQ') return `${subject} ${COMPARED[op]} ${name(value)}`;
  // The bits left out of the mask are those that make no difference.
  const isAware = AWARE_ARGUMENTS[call]?.some((aware) => aware.argument === argument && aware.mask === mask);
  if (isAware) return `${subject} is ${name(value)}`;
  if (value === '0x0') return `${subject} without ${name(mask ?? '0x0')}`;
  if (value === mask) return `${subject} with ${name(value)}`;
  return `${subject} & ${mask ?? '0x0'} is ${name(value)}`;
}

/** Options have their names within a level, of which SOL_SOCKET's are here. */
function namingOf(call: string, argument: number, beside: Alternative): Naming | null {
  const naming = NAMINGS[call]?.[argument] ?? null;
  if (naming?.words !== SOCKET_OPTIONS) return naming;
  const isSocketLevel = beside.some(
    ({ argument, op, value }) => argument === 1 && op === 'SCMP_CMP_EQ' && value === '0x1',
  );
  return isSocketLevel ? naming : null;
}

function nameOf(naming: Naming | null, value: bigint): string {
  if (naming === null || value > 0xffffffffn) return hex(value);
  const number = Number(value);
  if (naming.isFlags) return number === 0 ? '0' : flags(naming.words, number);
  return naming.words[number] ?? hex(value);
}
