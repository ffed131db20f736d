/** What a container runtime itself calls between loading a filter and the payload's start. */

/**
 * Without porin-init the runtime loads the filter and then still has to start the payload, under the filter: it closes
 * its descriptors, opens its start FIFO and executes, while the Go runtime's threads wake and switch.
 * Tried with runc 1.1.5 in Docker 20.10, no-new-privileges on, which makes the runtime load the filter last.
 */
export const RUNTIME_START_CALLS: readonly string[] = [
  'close',
  'epoll_ctl',
  'epoll_pwait',
  'execve',
  'fcntl',
  'fstat',
  'fstatfs',
  'futex',
  'getdents64',
  'getpid',
  'gettid',
  'madvise',
  'mmap',
  'munmap',
  'nanosleep',
  'newfstatat',
  'openat',
  'read',
  'rt_sigprocmask',
  'sched_yield',
  'sigaltstack',
  'tgkill',
  'write',
];
