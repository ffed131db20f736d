/** The calls that Docker's default seccomp profile lets a container without capabilities make. */
import { type Architecture } from '../model/profile.js';
import { callClass, callFacts, familyCalls } from './families.js';
import { syscallNumber } from './syscalls.js';

/**
 * Docker 20.10.24 on a kernel of 4.8 or newer: read from the runtime configuration that the engine wrote for a container
 * with all capabilities dropped (its source: moby, profiles/seccomp/default.json). Names of 32-bit calls are left out; no
 * entry is for aarch64 alone. Entries with conditions: clone and personality, which the guards hold to them (guards.ts);
 * clone3 is answered ENOSYS and so not in the list.
 */
const NAMES = `
  accept accept4 access adjtimex alarm arch_prctl bind brk capget capset chdir chmod chown clock_adjtime
  clock_getres clock_gettime clock_nanosleep clone close close_range connect copy_file_range creat dup dup2 dup3
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
  eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fanotify_mark fchdir fchmod
  fchmodat fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs
  fsync ftruncate futex futex_waitv futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64
  getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
  getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getxattr
  inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents
  io_setup io_submit io_uring_enter io_uring_register io_uring_setup ioctl ioprio_get ioprio_set kill
  landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat listen listxattr
  llistxattr lremovexattr lseek lsetxattr lstat madvise membarrier memfd_create memfd_secret mincore mkdir mkdirat
  mknod mknodat mlock mlock2 mlockall mmap modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
  mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep newfstatat
  open openat openat2 pause personality pidfd_open pidfd_send_signal pipe pipe2 poll ppoll prctl pread64 preadv
  preadv2 prlimit64 process_mrelease pselect6 ptrace pwrite64 pwritev pwritev2 read readahead readlink readlinkat
  readv recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir rseq
  rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
  rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
  sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler
  sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto set_robust_list
  set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid
  setresgid setresuid setreuid setrlimit setsid setsockopt setuid setxattr shmat shmctl shmdt shmget shutdown
  sigaltstack signalfd signalfd4 socket socketpair splice stat statfs statx symlink symlinkat sync sync_file_range
  syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime
  timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat
  utimes vfork vmsplice wait4 waitid write writev
`
  .trim()
  .split(/\s+/);

const ALLOWED: ReadonlySet<string> = new Set(NAMES);
/** The greatest number that Docker 20.10.24's profile names: runc answers ENOSYS to what is beyond, as an older kernel does. */
const LAST_NAMED = 'futex_waitv';

/**
 * Calls that programs make to find out whether the kernel has them, and do without. Dangerous ones, so each was reviewed:
 * io_uring_setup is what Node 26 and libuv begin with, clone3 is glibc's first try at a thread.
 */
const PROBES: ReadonlySet<string> = new Set(['clone3', 'io_uring_setup']);

/** What the engine's default answers to a call that it does not allow; null where it allows it. Alike on all architectures. */
export function engineErrno(name: string): 'EPERM' | 'ENOSYS' | null {
  if (ALLOWED.has(name)) return null;
  const [number, last] = [name, LAST_NAMED].map(
    (call) => syscallNumber('x86_64', call) ?? syscallNumber('aarch64', call),
  );
  return name === 'clone3' || (number ?? 0) > (last ?? 0) ? 'ENOSYS' : 'EPERM';
}

/** Whether its refusal needs no report: the engine refuses it everywhere and it is not dangerous, or it is a reviewed probe. */
export function isQuietlyRefusable(name: string): boolean {
  return PROBES.has(name) || (engineErrno(name) !== null && callClass(name) !== 'dangerous');
}

/** Sorted names, conditional ones included, without those that the architecture lacks. */
export function engineDefaultNames(architecture: Architecture): readonly string[] {
  return NAMES.filter((name) => syscallNumber(architecture, name) !== undefined);
}

/** What a program may call at all, before any profile and ceiling: the engine's default and what an administrator added. */
export function grantedNames(architecture: Architecture, beyondDefault: readonly string[] = []): readonly string[] {
  const added = beyondDefault.filter((name) => syscallNumber(architecture, name) !== undefined);
  return [...new Set([...engineDefaultNames(architecture), ...added])].sort();
}

/**
 * The setting `beyondDefault` as names of calls. An entry is a call, or a family, which stands for its harmless calls:
 * `beyondDefaultNames(['numa'])` has get_mempolicy, set_mempolicy, mbind and set_mempolicy_home_node.
 * @throws RangeError for a name that is neither, and for a dangerous call
 */
export function beyondDefaultNames(entries: readonly string[]): readonly string[] {
  const names = entries.flatMap((entry) => {
    const family = familyCalls(entry).filter((name) => callClass(name) === 'harmless');
    if (family.length > 0) return family;
    const facts = callFacts(entry);
    if (!facts) throw new RangeError(`"${entry}" is no system call and no family of harmless ones`);
    if (facts.class === 'dangerous') throw new RangeError(`"${entry}" is dangerous: it ${facts.does}`);
    return [entry];
  });
  return [...new Set(names)].sort();
}
