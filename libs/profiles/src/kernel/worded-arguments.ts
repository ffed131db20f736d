/**
 * The one table of which argument of which call is put into which words, for denials, traces and reviews alike. The values
 * of an argument that is not here stay numbers.
 */
import * as files from './words/files.js';
import * as memory from './words/memory.js';
import * as processes from './words/processes.js';
import * as sockets from './words/sockets.js';
import * as time from './words/time.js';
import {
  DECIMAL,
  DESCRIPTOR,
  flags,
  flagsAbove,
  HEXADECIMAL,
  labelled,
  mode,
  one,
  oneOf,
  oneOrLabelled,
  oneWithFlags,
  type Wording,
} from './wording.js';

type Row = readonly [calls: string, wordings: Readonly<Record<number, Wording>>];

const PID = labelled('pid');
const THREAD = labelled('thread');
const SIGNAL = oneOrLabelled(processes.SIGNALS, 'signal');
const OF = labelled('of');

const SOCKETS: readonly Row[] = [
  [
    'socket socketpair',
    { 0: one(sockets.SOCKET_FAMILIES), 1: oneWithFlags(sockets.SOCKET_TYPES, 0xfn, sockets.SOCKET_FLAGS), 2: DECIMAL },
  ],
  ['accept4', { 3: flags(sockets.SOCKET_FLAGS) }],
  ['setsockopt getsockopt', { 1: one(sockets.SOCKET_LEVELS), 2: oneOf(1, sockets.OPTIONS_BY_LEVEL) }],
  ['shutdown', { 1: one(sockets.SHUTDOWNS) }],
];

const OPENING = oneWithFlags(files.ACCESS_MODES, 3n, files.OPEN_FLAGS);
const DESCRIPTOR_FLAGS = flags(files.DESCRIPTOR_FLAGS);
const PERMISSIONS = mode();
/** Of a file that may be made: not what the call is about. */
const NEW_PERMISSIONS: Wording = { ...PERMISSIONS, tells: false };
const FILE = mode(files.FILE_TYPES, 0o170000n);
const ACCESSES = flags(files.ACCESSES, 'F_OK');

const FILES: readonly Row[] = [
  ['open', { 1: OPENING, 2: NEW_PERMISSIONS }],
  ['openat', { 2: OPENING, 3: NEW_PERMISSIONS }],
  ['mq_open', { 1: OPENING, 2: NEW_PERMISSIONS }],
  ['creat mkdir', { 1: NEW_PERMISSIONS }],
  ['mkdirat', { 2: NEW_PERMISSIONS }],
  ['chmod fchmod', { 1: PERMISSIONS }],
  ['fchmodat fchmodat2', { 2: PERMISSIONS }],
  ['mknod', { 1: FILE }],
  ['mknodat', { 2: FILE }],
  ['chown lchown fchown', { 1: DECIMAL, 2: DECIMAL }],
  ['fchownat', { 2: DECIMAL, 3: DECIMAL, 4: flags(files.AT_FLAGS) }],
  ['access', { 1: ACCESSES }],
  ['faccessat', { 2: ACCESSES }],
  ['faccessat2', { 2: ACCESSES, 3: flags(files.ACCESS_FLAGS) }],
  ['unlinkat', { 2: flags(files.UNLINK_FLAGS) }],
  ['newfstatat', { 3: { ...flags(files.AT_FLAGS), tells: false } }],
  ['statx', { 2: { ...flags(files.AT_FLAGS), tells: false } }],
  ['linkat execveat', { 4: flags(files.AT_FLAGS) }],
  ['renameat2', { 4: flags(files.RENAME_FLAGS) }],
  ['memfd_create', { 1: flags(memory.MEMFD_FLAGS) }],
  ['fcntl', { 1: one(files.FCNTL_COMMANDS) }],
  ['ioctl', { 1: one(files.IOCTL_REQUESTS) }],
  ['lseek', { 2: one(files.WHENCES) }],
  ['flock', { 1: flags(files.LOCKS) }],
  ['fadvise64', { 3: one(files.FILE_ADVICES) }],
  ['fallocate', { 1: flags(files.FALLOCATE_MODES) }],
  ['pipe2', { 1: DESCRIPTOR_FLAGS }],
  ['dup3', { 2: DESCRIPTOR_FLAGS }],
  ['epoll_create1 inotify_init1', { 0: DESCRIPTOR_FLAGS }],
  ['epoll_ctl', { 1: one(files.EPOLL_OPERATIONS) }],
  ['mount', { 3: flags(files.MOUNT_FLAGS) }],
  ['umount2', { 1: flags(files.UNMOUNT_FLAGS) }],
  ['open_tree', { 2: flags(files.OPEN_TREE_FLAGS) }],
  ['move_mount', { 4: flags(files.MOVE_MOUNT_FLAGS) }],
];

const PROTECTION = flags(memory.PROTECTIONS, 'PROT_NONE');
const MEMORY_POLICY = oneWithFlags(memory.MEMORY_POLICIES, 0xfffn, memory.MEMORY_POLICY_FLAGS);

const MEMORY: readonly Row[] = [
  ['mmap', { 2: PROTECTION, 3: oneWithFlags(memory.MAPPINGS, 0xfn, memory.MAPPING_FLAGS) }],
  ['mprotect pkey_mprotect', { 2: PROTECTION }],
  ['mremap', { 3: flags(memory.REMAPPINGS) }],
  ['madvise', { 2: one(memory.ADVICES) }],
  ['process_madvise', { 3: one(memory.ADVICES) }],
  ['msync', { 2: flags(memory.SYNCS) }],
  ['mbind', { 2: MEMORY_POLICY }],
  ['set_mempolicy', { 0: MEMORY_POLICY }],
  ['get_mempolicy', { 4: flags(memory.MEMORY_POLICY_QUESTIONS) }],
  ['userfaultfd', { 0: flags(memory.USERFAULT_FLAGS) }],
];

const RESOURCE = one(processes.RESOURCES);
const SCHEDULING_POLICY = oneWithFlags(processes.SCHEDULING_POLICIES, 0xffn, processes.SCHEDULING_FLAGS);

const PROCESSES: readonly Row[] = [
  // The low byte is the signal of the child's end.
  ['clone', { 0: flagsAbove(0xffn, processes.CLONE_FLAGS) }],
  ['unshare', { 0: flags(processes.UNSHARE_FLAGS) }],
  ['setns', { 1: flags(processes.UNSHARE_FLAGS) }],
  ['ptrace', { 0: one(processes.PTRACE_REQUESTS), 1: PID }],
  ['bpf', { 0: one(processes.BPF_COMMANDS) }],
  ['seccomp', { 0: one(processes.SECCOMP_OPERATIONS), 1: flags(processes.SECCOMP_FILTER_FLAGS) }],
  ['prctl', { 0: one(processes.PRCTL_OPTIONS) }],
  ['arch_prctl', { 0: one(processes.ARCH_PRCTL_OPTIONS) }],
  ['personality', { 0: HEXADECIMAL }],
  ['keyctl', { 0: one(processes.KEYCTL_OPERATIONS) }],
  ['syslog', { 0: one(processes.LOG_ACTIONS) }],
  ['setuid setgid setfsuid setfsgid', { 0: DECIMAL }],
  ['setreuid setregid', { 0: DECIMAL, 1: DECIMAL }],
  ['setresuid setresgid', { 0: DECIMAL, 1: DECIMAL, 2: DECIMAL }],
  ['prlimit64', { 0: PID, 1: RESOURCE }],
  ['getrlimit setrlimit', { 0: RESOURCE }],
  ['getrusage', { 0: one(processes.USAGE_SCOPES) }],
  ['getpriority setpriority', { 0: one(processes.PRIORITY_SCOPES), 1: OF }],
  ['ioprio_get ioprio_set', { 0: one(processes.IO_PRIORITY_SCOPES), 1: OF }],
  ['sched_setscheduler', { 0: PID, 1: SCHEDULING_POLICY }],
  [
    `sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity
     sched_setattr sched_setparam`,
    { 0: PID },
  ],
  ['sched_get_priority_max sched_get_priority_min', { 0: SCHEDULING_POLICY }],
  ['getpgid getsid migrate_pages move_pages pidfd_open process_vm_readv process_vm_writev', { 0: PID }],
  ['setpgid', { 0: PID, 1: labelled('group') }],
  ['get_robust_list', { 0: THREAD }],
  ['perf_event_open', { 1: PID }],
  ['kcmp', { 0: PID, 1: PID, 2: one(processes.KCMP_TYPES) }],
  ['wait4', { 0: PID, 2: flags(processes.WAIT_OPTIONS) }],
  ['waitid', { 3: flags(processes.WAIT_OPTIONS) }],
  ['kill rt_sigqueueinfo', { 0: PID, 1: SIGNAL }],
  ['tkill', { 0: THREAD, 1: SIGNAL }],
  ['tgkill rt_tgsigqueueinfo', { 0: PID, 1: THREAD, 2: SIGNAL }],
  ['pidfd_send_signal', { 1: SIGNAL }],
  ['rt_sigaction', { 0: SIGNAL }],
  ['rt_sigprocmask', { 0: one(processes.MASK_CHANGES) }],
];

const IPC = 0xffn;
const CLOCK = one(time.CLOCKS);

const TIME: readonly Row[] = [
  ['clock_adjtime clock_getres clock_gettime clock_settime timer_create timerfd_create', { 0: CLOCK }],
  ['clock_nanosleep', { 0: CLOCK, 1: flags(time.TIMER_FLAGS) }],
  ['getitimer setitimer', { 0: one(time.INTERVAL_TIMERS) }],
  ['futex', { 1: oneWithFlags(time.FUTEX_OPERATIONS, 0x7fn, time.FUTEX_FLAGS) }],
  ['membarrier', { 0: one(time.MEMBARRIER_COMMANDS) }],
  ['shmctl', { 1: oneWithFlags(time.SHARED_MEMORY_COMMANDS, IPC, time.IPC_FLAGS) }],
  ['msgctl', { 1: oneWithFlags(time.MESSAGE_QUEUE_COMMANDS, IPC, time.IPC_FLAGS) }],
  ['semctl', { 2: oneWithFlags(time.SEMAPHORE_COMMANDS, IPC, time.IPC_FLAGS) }],
];

const DESCRIPTORS: readonly Row[] = [
  [
    `accept accept4 bind cachestat close connect copy_file_range dup dup2 dup3 epoll_ctl epoll_pwait epoll_pwait2
     epoll_wait execveat faccessat faccessat2 fadvise64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2
     fchown fchownat fcntl fdatasync fgetxattr file_getattr file_setattr finit_module flistxattr flock fremovexattr
     fsconfig fsetxattr fsmount fspick fstat fstatfs fsync ftruncate futimesat getdents getdents64 getpeername
     getsockname getsockopt getxattrat inotify_add_watch inotify_rm_watch io_uring_enter io_uring_register ioctl
     kexec_file_load landlock_add_rule landlock_restrict_self linkat listen listxattrat lseek mkdirat mknodat
     mount_setattr move_mount mq_getsetattr mq_notify mq_timedreceive mq_timedsend name_to_handle_at newfstatat
     open_by_handle_at open_tree open_tree_attr openat openat2 pidfd_getfd pidfd_send_signal pread64 preadv preadv2
     process_madvise process_mrelease pwrite64 pwritev pwritev2 quotactl_fd read readahead readlinkat readv recvfrom
     recvmmsg recvmsg removexattrat renameat renameat2 sendfile sendmmsg sendmsg sendto setns setsockopt setxattrat
     shutdown signalfd signalfd4 splice statx sync_file_range syncfs tee timerfd_gettime timerfd_settime unlinkat
     utimensat vmsplice write writev`,
    { 0: DESCRIPTOR },
  ],
  ['dup2 dup3 kexec_file_load pidfd_getfd sendfile symlinkat tee', { 1: DESCRIPTOR }],
  ['copy_file_range epoll_ctl linkat move_mount renameat renameat2 splice', { 2: DESCRIPTOR }],
  ['fanotify_mark perf_event_open', { 3: DESCRIPTOR }],
  ['mmap', { 4: DESCRIPTOR }],
];

const TABLE = new Map<string, Readonly<Record<number, Wording>>>();
for (const [calls, wordings] of [...SOCKETS, ...FILES, ...MEMORY, ...PROCESSES, ...TIME, ...DESCRIPTORS]) {
  for (const call of calls.split(/\s+/)) TABLE.set(call, { ...TABLE.get(call), ...wordings });
}

/** Undefined for an argument that has no words. */
export function wordingOf(call: string, argument: number): Wording | undefined {
  return TABLE.get(call)?.[argument];
}

/** Call and argument of every wording, for tests. */
export const WORDED_ARGUMENTS: readonly (readonly [call: string, argument: number])[] = [...TABLE].flatMap(
  ([call, wordings]) => Object.keys(wordings).map((argument) => [call, Number(argument)] as const),
);
