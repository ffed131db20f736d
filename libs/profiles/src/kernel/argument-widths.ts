/** The width table: how many arguments each call takes, which are scalars, and how many of their bits the kernel reads. */

export type ArgumentWidth = 32 | 64;

/**
 * A letter for each argument, from SYSCALL_DEFINE of Linux 6.18 (its own list: tracefs, events/syscalls; alike on x86_64 and
 * aarch64 where both have the call): `i` 32 bits, `l` 64, `p` a pointer, `h` 16 bits (umode_t), `x` what its meaning or
 * width depends on the architecture or another argument for, such as fcntl's third.
 * Some that are declared as long are cut to 32 bits, or mean nothing above, and are `i`: protections and flags of mappings
 * and mounts, file descriptors, clone's flags, ptrace's process, mbind's mode. A comparison of 64 bits would be got past
 * there by setting high ones.
 */
const TABLE = `
  accept:ipp accept4:ippi access:pi acct:p add_key:pppli adjtimex:p alarm:i arch_prctl:ix bind:ipi bpf:ipi brk:l
  cachestat:ippi capget:pp capset:pp chdir:p chmod:ph chown:pii chroot:p clock_adjtime:ip clock_getres:ip
  clock_gettime:ip clock_nanosleep:iipp clock_settime:ip clone:ixppx clone3:pl close:i close_range:iii connect:ipi
  copy_file_range:ipipli creat:ph delete_module:pi dup:i dup2:ii dup3:iii epoll_create:i epoll_create1:i
  epoll_ctl:iiip epoll_pwait:ipiipl epoll_pwait2:ipippl epoll_wait:ipii eventfd:i eventfd2:ii execve:ppp
  execveat:ipppi exit:i exit_group:i faccessat:ipi faccessat2:ipii fadvise64:illi fallocate:iill fanotify_init:ii
  fanotify_mark:iilip fchdir:i fchmod:ih fchmodat:iph fchmodat2:iphi fchown:iii fchownat:ipiii fcntl:iix fdatasync:i
  fgetxattr:ippl file_getattr:ippli file_setattr:ippli finit_module:ipi flistxattr:ipl flock:ii fremovexattr:ip
  fsconfig:iippi fsetxattr:ippli fsmount:iii fsopen:pi fspick:ipi fstat:ip fstatfs:ip fsync:i ftruncate:il
  futex:piixpi futex_requeue:piii futex_wait:pllipi futex_waitv:piipi futex_wake:plii futimesat:ipp
  get_mempolicy:pplll get_robust_list:ipp getcpu:ppp getcwd:pl getdents:ipi getdents64:ipi getgroups:ip getitimer:ip
  getpeername:ipp getpgid:i getpriority:ii getrandom:pli getresgid:ppp getresuid:ppp getrlimit:ip getrusage:ip
  getsid:i getsockname:ipp getsockopt:iiipp gettimeofday:pp getxattr:pppl getxattrat:ipippl init_module:plp
  inotify_add_watch:ipi inotify_init1:i inotify_rm_watch:ii io_cancel:lpp io_destroy:l io_getevents:lllpp
  io_pgetevents:lllppp io_setup:ip io_submit:llp io_uring_enter:iiiipl io_uring_register:iipi io_uring_setup:ip
  ioctl:iix ioperm:lli iopl:i ioprio_get:ii ioprio_set:iii kcmp:iiixx kexec_file_load:iilpl kexec_load:llpl
  keyctl:ixxxx kill:ii landlock_add_rule:iipi landlock_create_ruleset:pli landlock_restrict_self:ii lchown:pii
  lgetxattr:pppl link:pp linkat:ipipi listen:ii listmount:ppli listxattr:ppl listxattrat:ipipl llistxattr:ppl
  lookup_dcookie:lpl lremovexattr:pp lseek:ili lsetxattr:pppli lsm_get_self_attr:ippi lsm_list_modules:ppi
  lsm_set_self_attr:ipii lstat:pp madvise:lli map_shadow_stack:lli mbind:llipli membarrier:iii memfd_create:pi
  memfd_secret:i migrate_pages:ilpp mincore:llp mkdir:ph mkdirat:iph mknod:phi mknodat:iphi mlock:ll mlock2:lli
  mlockall:i mmap:lliiil modify_ldt:ipl mount:pppip mount_setattr:ipipl move_mount:ipipi move_pages:ilpppi
  mprotect:lli mq_getsetattr:ipp mq_notify:ip mq_open:pihp mq_timedreceive:iplpp mq_timedsend:iplip mq_unlink:p
  mremap:lllll mseal:lll msgctl:iip msgget:ii msgrcv:iplli msgsnd:ipli msync:lli munlock:ll munmap:ll
  name_to_handle_at:ipppi nanosleep:pp newfstatat:ippi open:pih open_by_handle_at:ipi open_tree:ipi
  open_tree_attr:ipipl openat:ipih openat2:ippl perf_event_open:piiil personality:i pidfd_getfd:iii pidfd_open:ii
  pidfd_send_signal:iipi pipe:p pipe2:pi pivot_root:pp pkey_alloc:ll pkey_free:i pkey_mprotect:llii poll:pii
  ppoll:pippl prctl:ixxxx pread64:ipll preadv:iplll preadv2:ipllli prlimit64:iipp process_madvise:iplii
  process_mrelease:ii process_vm_readv:iplpll process_vm_writev:iplpll pselect6:ippppp ptrace:lixx pwrite64:ipll
  pwritev:iplll pwritev2:ipllli quotactl:ipip quotactl_fd:iiip read:ipl readahead:ill readlink:ppi readlinkat:ippi
  readv:ipl reboot:iiip recvfrom:iplipp recvmmsg:ipiip recvmsg:ipi remap_file_pages:llili removexattr:pp
  removexattrat:ipip rename:pp renameat:ipip renameat2:ipipi request_key:pppi rmdir:p rseq:piii rt_sigaction:ippl
  rt_sigpending:pl rt_sigprocmask:ippl rt_sigqueueinfo:iip rt_sigsuspend:pl rt_sigtimedwait:pppl
  rt_tgsigqueueinfo:iiip sched_get_priority_max:i sched_get_priority_min:i sched_getaffinity:iip sched_getattr:ipii
  sched_getparam:ip sched_getscheduler:i sched_rr_get_interval:ip sched_setaffinity:iip sched_setattr:ipi
  sched_setparam:ip sched_setscheduler:iip seccomp:iip select:ipppp semctl:iiix semget:iii semop:ipi semtimedop:ipip
  sendfile:iipl sendmmsg:ipii sendmsg:ipi sendto:iplipi set_mempolicy:ipl set_mempolicy_home_node:llll
  set_robust_list:pl set_tid_address:p setdomainname:pi setfsgid:i setfsuid:i setgid:i setgroups:ip sethostname:pi
  setitimer:ipp setns:ii setpgid:ii setpriority:iii setregid:ii setresgid:iii setresuid:iii setreuid:ii setrlimit:ip
  setsockopt:iiipi settimeofday:pp setuid:i setxattr:pppli setxattrat:ipippl shmat:ipi shmctl:iip shmdt:p shmget:ili
  shutdown:ii sigaltstack:pp signalfd:ipl signalfd4:ipli socket:iii socketpair:iiip splice:ipipli stat:pp statfs:pp
  statmount:ppli statx:ipiip swapoff:p swapon:pi symlink:pp symlinkat:pip sync_file_range:illi syncfs:i sysfs:ixx
  sysinfo:p syslog:ipi tee:iili tgkill:iii time:p timer_create:ipp timer_delete:i timer_getoverrun:i
  timer_gettime:ip timer_settime:iipp timerfd_create:ii timerfd_gettime:ip timerfd_settime:iipp times:p tkill:ii
  truncate:pl umask:i umount2:pi uname:p unlink:p unlinkat:ipi unshare:l uselib:p userfaultfd:i ustat:ip utime:pp
  utimensat:ippi utimes:pp vmsplice:ipli wait4:ipip waitid:iipip write:ipl writev:ipl
`;

const LETTERS: ReadonlyMap<string, string> = new Map(
  TABLE.trim()
    .split(/\s+/)
    .map((entry) => entry.split(':') as [string, string]),
);

/** Calls that the table lacks, by the number of their arguments. */
const WITHOUT_WIDTHS: readonly string[] = [
  `fork getegid geteuid getgid getpgrp getpid getppid gettid getuid inotify_init munlockall pause restart_syscall
   rt_sigreturn sched_yield setsid sync uprobe uretprobe vfork vhangup`,
  'get_thread_area set_thread_area',
  '',
  '',
  'listns',
];
const COUNTS: ReadonlyMap<string, number> = new Map([
  ...WITHOUT_WIDTHS.flatMap((calls, count) => calls.split(/\s+/).map((call) => [call, count] as const)),
  ...[...LETTERS].map(([call, letters]) => [call, letters.length] as const),
]);
/** Of a system call, whichever it is. */
const ARGUMENTS_MAXIMUM = 6;

/** How many arguments a call takes: what is in the other registers is no argument. Six for a call that is not known. */
export function argumentCount(call: string): number {
  return COUNTS.get(call) ?? ARGUMENTS_MAXIMUM;
}

/** How many bits of an argument count, whatever kind it is of. */
export function argumentBits(call: string, argument: number): 16 | 32 | 64 {
  const letter = LETTERS.get(call)?.[argument];
  return letter === 'i' ? 32 : letter === 'h' ? 16 : 64;
}

/** Null for what no condition can be about: pointers, arguments that a call lacks, and calls that the table lacks. */
export function argumentWidth(call: string, argument: number): ArgumentWidth | null {
  const letter = LETTERS.get(call)?.[argument];
  return letter === 'i' ? 32 : letter === 'l' ? 64 : null;
}

/** Why argumentWidth is null, for a person. */
export function whyNotScalar(call: string, argument: number): string {
  const letters = LETTERS.get(call);
  if (letters === undefined) return `the width table has no arguments of "${call}"`;
  switch (letters[argument]) {
    case 'p':
      return `argument ${argument} of "${call}" is a pointer: a filter sees the address and not what lies there`;
    case 'h':
      return `argument ${argument} of "${call}" has 16 bits, which no comparison holds`;
    case 'x':
      return `argument ${argument} of "${call}" has no meaning and width of its own`;
    default:
      return `"${call}" has no argument ${argument}`;
  }
}

/** Every call that the table has, for tests. */
export const CALLS_WITH_ARGUMENTS: readonly string[] = [...LETTERS.keys()];
