/** Which uses of a call stand for others: what a program does with one input, and does differently with the next. */

/** Uses of equal risk. A use is a value for each of the call's aware arguments, in their order. */
export type BenignGroup = readonly (readonly number[])[];

const alone = (...values: readonly number[]): BenignGroup => values.map((value) => [value]);
const ofLevel = (level: number, ...names: readonly number[]): BenignGroup => names.map((name) => [level, name]);

const SOL_SOCKET = 1;
const SOL_TCP = 6;
const SOCKET_OPTIONS: readonly BenignGroup[] = [
  // Buffers, times, reuse, and questions: SO_REUSEADDR, TYPE, ERROR, SNDBUF, RCVBUF, KEEPALIVE, LINGER, REUSEPORT, RCVTIMEO,
  // SNDTIMEO, ACCEPTCONN, PROTOCOL, DOMAIN.
  ofLevel(SOL_SOCKET, 2, 3, 4, 7, 8, 9, 13, 15, 20, 21, 30, 38, 39),
  // TCP_NODELAY, KEEPIDLE, KEEPINTVL, KEEPCNT, QUICKACK, USER_TIMEOUT.
  ofLevel(SOL_TCP, 1, 4, 5, 6, 12, 18),
];

/** Family, type and protocol. AF_UNIX is one group; of the internet a group has one family and one type. */
const SOCKETS: readonly BenignGroup[] = [
  [1, 2, 5].map((type) => [1, type, 0]),
  ...[2, 10].flatMap((family): BenignGroup[] => [
    [0, 6].map((protocol) => [family, 1, protocol]),
    [0, 17].map((protocol) => [family, 2, protocol]),
  ]),
];

const SYSTEM_V: BenignGroup = alone(0, 1, 2);

/** One use of a group admits all of it. */
export const BENIGN_GROUPS: Readonly<Record<string, readonly BenignGroup[]>> = {
  socket: SOCKETS,
  socketpair: SOCKETS.slice(0, 1),
  setsockopt: SOCKET_OPTIONS,
  getsockopt: SOCKET_OPTIONS,
  fcntl: [
    // F_DUPFD, GETFD, SETFD, GETFL, SETFL, DUPFD_CLOEXEC.
    alone(0, 1, 2, 3, 4, 1030),
    // Locks, of processes and of open files.
    alone(5, 6, 7, 36, 37, 38),
    // The sizes of pipes, and seals.
    alone(1031, 1032),
    alone(1033, 1034),
  ],
  ioctl: [
    // What changes nothing outside the descriptor: TCGETS, TCGETS2, TIOCGPGRP, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX.
    alone(0x5401, 0x802c542a, 0x540f, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451),
    // Questions about an open file and its copy into another one: FIGETBSZ, FS_IOC_GETFLAGS, FS_IOC_FIEMAP, FICLONE,
    // FICLONERANGE.
    alone(0x2, 0x80086601, 0xc020660b, 0x40049409, 0x4020940d),
  ],
  // Segments of threads, shadow stacks, and the right to use wide registers (ARCH_SET_GS, SET_FS, GET_FS, GET_GS, CET and
  // SHSTK, XCOMP): what C libraries and numeric libraries ask for depends on the processor.
  arch_prctl: [
    alone(
      ...[0x1001, 0x1002, 0x1003, 0x1004, 0x3001, 0x3002, 0x3003, 0x3004, 0x5001, 0x5002, 0x5003, 0x5005],
      ...[0x1021, 0x1022, 0x1023, 0x1024, 0x1025],
    ),
  ],
  // Names of threads and mappings, its own end with its parent, and questions: PR_SET_PDEATHSIG, GET_PDEATHSIG, GET_DUMPABLE,
  // SET_NAME, GET_NAME, CAPBSET_READ, GET_TIMERSLACK, GET_NO_NEW_PRIVS, GET_THP_DISABLE, SET_VMA.
  prctl: [alone(1, 2, 3, 15, 16, 23, 30, 39, 42, 0x53564d41)],
  clone: [
    // A process: by fork of both C libraries, by posix_spawn and vfork.
    alone(0, 0x1200000, 0x4000, 0x4100),
    // A thread: of both C libraries.
    alone(0x3d0f00, 0x7d0f00),
  ],
  // All but MADV_REMOVE, MERGEABLE, HWPOISON and SOFT_OFFLINE.
  madvise: [alone(0, 1, 2, 3, 4, 8, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 102, 103)],
  // In place, moved, moved to an address.
  mremap: [alone(0, 1, 3)],
  futex: [alone(0, 1, 3, 4, 5, 9, 10), alone(6, 7, 8, 11, 12, 13)],
  // The question, and barriers within the process.
  membarrier: [alone(0, 8, 16, 32, 64)],
  shmctl: [SYSTEM_V],
  msgctl: [SYSTEM_V],
  semctl: [alone(0, 1, 2, 11, 12, 13, 14, 15, 16, 17)],
  // Sizes, holes and zeros within the file.
  fallocate: [alone(0, 1, 3, 0x10, 0x11)],
  renameat2: [alone(0, 1)],
  // SCHED_OTHER, BATCH and IDLE.
  sched_setscheduler: [alone(0, 3, 5)],
};

/**
 * Calls that are recorded for people to read and never held to what was seen: every value is harmless, or the kernel or a
 * guard refuses the others. Clocks of threads have ids that differ from run to run.
 */
export const NEVER_HELD: ReadonlySet<string> = new Set([
  ...['lseek', 'epoll_ctl', 'prlimit64', 'getrlimit', 'setrlimit', 'getrusage', 'getpriority', 'ioprio_get'],
  ...['setpriority', 'ioprio_set', 'getitimer', 'setitimer', 'clock_gettime', 'clock_getres', 'clock_nanosleep'],
  ...['timer_create', 'timerfd_create'],
]);
