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
  // What changes nothing outside the descriptor: TCGETS, TCGETS2, TIOCGPGRP, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX.
  ioctl: [alone(0x5401, 0x802c542a, 0x540f, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451)],
  // Names of threads and mappings, and questions: PR_GET_DUMPABLE, SET_NAME, GET_NAME, CAPBSET_READ, GET_NO_NEW_PRIVS, SET_VMA.
  prctl: [alone(3, 15, 16, 23, 39, 0x53564d41)],
  clone: [
    // A process: by fork of both C libraries, by posix_spawn and vfork.
    alone(0, 0x1200000, 0x4000, 0x4100),
    // A thread: of both C libraries.
    alone(0x3d0f00, 0x7d0f00),
  ],
  // All but those that poison, merge, punch holes or act on children.
  madvise: [alone(0, 1, 2, 3, 4, 8, 14, 15, 16, 17, 20, 21, 22, 23, 25)],
  // In place, moved, moved to an address.
  mremap: [alone(0, 1, 3)],
  futex: [alone(0, 1, 3, 4, 5, 9, 10), alone(6, 7, 8, 11, 12, 13)],
  // The question, and barriers within the process.
  membarrier: [alone(0, 8, 16, 32, 64)],
  shmctl: [SYSTEM_V],
  msgctl: [SYSTEM_V],
  semctl: [alone(0, 1, 2, 11, 12, 13, 14, 15, 16, 17)],
  fallocate: [alone(0, 1)],
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
