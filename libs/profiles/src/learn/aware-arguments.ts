/** The arguments that tell one use of a call from another: what the recorder keys on and conditions are learned about. */
import { type Hex } from '../model/condition.js';

export interface AwareArgument {
  /** 0 to 5; a scalar by the width table. */
  readonly argument: number;
  /** The bits that matter, within the argument's width. Other bits make no new value and get no condition. */
  readonly mask: Hex;
}

const aware = (argument: number, mask: Hex): AwareArgument => ({ argument, mask });
const word = (argument: number): AwareArgument => aware(argument, '0xffffffff');
const long = (argument: number): AwareArgument => aware(argument, '0xffffffffffffffff');
const alike = (names: string, ...of: readonly AwareArgument[]): Readonly<Record<string, readonly AwareArgument[]>> =>
  Object.fromEntries(names.split(' ').map((name) => [name, of]));

/** Without SOCK_NONBLOCK and SOCK_CLOEXEC (linux/net.h). */
const SOCKET_TYPE: Hex = '0xfff7f7ff';
/** PROT_READ, PROT_WRITE, PROT_EXEC. */
const PROTECTION: Hex = '0x7';
/** MAP_TYPE and MAP_ANONYMOUS: what is mapped, and not where or how. */
const MAPPING: Hex = '0x2f';
/** Without CSIGNAL, the signal of the child's end. */
const CLONE_FLAGS: Hex = '0xffffff00';
/** Without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME. */
const FUTEX_OPERATION: Hex = '0xfffffe7f';
/** Without MFD_CLOEXEC. */
const MEMFD_FLAGS: Hex = '0xfffffffe';
/** Without IPC_64, which C libraries of some architectures set. */
const IPC_COMMAND: Hex = '0xfffffeff';

/**
 * By call, three arguments at most, ascending. A call is here if its values are a closed set that a person can read, and
 * one value is another risk than the next; file names, sizes, ids and descriptors are no such sets.
 */
export const AWARE_ARGUMENTS: Readonly<Record<string, readonly AwareArgument[]>> = {
  ...alike('socket socketpair', word(0), aware(1, SOCKET_TYPE), word(2)),
  ...alike('setsockopt getsockopt', word(1), word(2)),
  ...alike('ioctl fcntl', word(1)),
  ...alike('prctl arch_prctl keyctl bpf personality membarrier syslog userfaultfd', word(0)),
  seccomp: [word(0), word(1)],
  ptrace: [long(0)],
  ...alike('clone', aware(0, CLONE_FLAGS)),
  unshare: [long(0)],
  setns: [word(1)],

  mmap: [aware(2, PROTECTION), aware(3, MAPPING)],
  ...alike('mprotect pkey_mprotect', aware(2, PROTECTION)),
  mremap: [long(3)],
  madvise: [word(2)],
  process_madvise: [word(3)],
  memfd_create: [aware(1, MEMFD_FLAGS)],

  ...alike('shmctl msgctl', aware(1, IPC_COMMAND)),
  semctl: [aware(2, IPC_COMMAND)],
  futex: [aware(1, FUTEX_OPERATION)],
  epoll_ctl: [word(1)],

  prlimit64: [word(1)],
  ...alike('getrlimit setrlimit getrusage getpriority setpriority ioprio_get ioprio_set', word(0)),
  sched_setscheduler: [word(1)],
  ...alike(
    'clock_gettime clock_getres clock_settime clock_adjtime clock_nanosleep timer_create timerfd_create',
    word(0),
  ),
  ...alike('getitimer setitimer', word(0)),

  lseek: [word(2)],
  fallocate: [word(1)],
  renameat2: [word(4)],
  execveat: [word(4)],
};
