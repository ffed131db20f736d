/** The kernel's own names for the argument values that people look for in a denial or a rule: processes and sockets. */

export type Words = Readonly<Record<number, string>>;

/** linux/socket.h. */
export const SOCKET_FAMILIES: Words = {
  0: 'AF_UNSPEC',
  1: 'AF_UNIX',
  2: 'AF_INET',
  10: 'AF_INET6',
  15: 'AF_KEY',
  16: 'AF_NETLINK',
  17: 'AF_PACKET',
  29: 'AF_CAN',
  31: 'AF_BLUETOOTH',
  38: 'AF_ALG',
  40: 'AF_VSOCK',
  44: 'AF_XDP',
};

/** linux/net.h; the low four bits, beside the flags. */
export const SOCKET_TYPES: Words = {
  1: 'SOCK_STREAM',
  2: 'SOCK_DGRAM',
  3: 'SOCK_RAW',
  4: 'SOCK_RDM',
  5: 'SOCK_SEQPACKET',
  10: 'SOCK_PACKET',
};
export const SOCKET_FLAGS: Words = { 0o4000: 'SOCK_NONBLOCK', 0o2000000: 'SOCK_CLOEXEC' };

/** linux/sched.h; clone carries the child's exit signal in the low byte. */
export const CLONE_FLAGS: Words = {
  0x100: 'CLONE_VM',
  0x200: 'CLONE_FS',
  0x400: 'CLONE_FILES',
  0x800: 'CLONE_SIGHAND',
  0x1000: 'CLONE_PIDFD',
  0x2000: 'CLONE_PTRACE',
  0x4000: 'CLONE_VFORK',
  0x8000: 'CLONE_PARENT',
  0x10000: 'CLONE_THREAD',
  0x20000: 'CLONE_NEWNS',
  0x40000: 'CLONE_SYSVSEM',
  0x80000: 'CLONE_SETTLS',
  0x100000: 'CLONE_PARENT_SETTID',
  0x200000: 'CLONE_CHILD_CLEARTID',
  0x800000: 'CLONE_UNTRACED',
  0x1000000: 'CLONE_CHILD_SETTID',
  0x2000000: 'CLONE_NEWCGROUP',
  0x4000000: 'CLONE_NEWUTS',
  0x8000000: 'CLONE_NEWIPC',
  0x10000000: 'CLONE_NEWUSER',
  0x20000000: 'CLONE_NEWPID',
  0x40000000: 'CLONE_NEWNET',
};
export const UNSHARE_FLAGS: Words = { ...CLONE_FLAGS, 0x80: 'CLONE_NEWTIME' };

/** linux/ptrace.h. */
export const PTRACE_REQUESTS: Words = {
  0: 'PTRACE_TRACEME',
  1: 'PTRACE_PEEKTEXT',
  2: 'PTRACE_PEEKDATA',
  3: 'PTRACE_PEEKUSER',
  4: 'PTRACE_POKETEXT',
  5: 'PTRACE_POKEDATA',
  6: 'PTRACE_POKEUSER',
  7: 'PTRACE_CONT',
  8: 'PTRACE_KILL',
  9: 'PTRACE_SINGLESTEP',
  16: 'PTRACE_ATTACH',
  17: 'PTRACE_DETACH',
  24: 'PTRACE_SYSCALL',
  0x4200: 'PTRACE_SETOPTIONS',
  0x4206: 'PTRACE_SEIZE',
};

/** enum bpf_cmd, linux/bpf.h. */
export const BPF_COMMANDS: Words = {
  0: 'BPF_MAP_CREATE',
  1: 'BPF_MAP_LOOKUP_ELEM',
  2: 'BPF_MAP_UPDATE_ELEM',
  3: 'BPF_MAP_DELETE_ELEM',
  4: 'BPF_MAP_GET_NEXT_KEY',
  5: 'BPF_PROG_LOAD',
  6: 'BPF_OBJ_PIN',
  7: 'BPF_OBJ_GET',
  8: 'BPF_PROG_ATTACH',
  9: 'BPF_PROG_DETACH',
  10: 'BPF_PROG_TEST_RUN',
  15: 'BPF_OBJ_GET_INFO_BY_FD',
  17: 'BPF_RAW_TRACEPOINT_OPEN',
  18: 'BPF_BTF_LOAD',
  28: 'BPF_LINK_CREATE',
};

/** linux/seccomp.h. */
export const SECCOMP_OPERATIONS: Words = {
  0: 'SECCOMP_SET_MODE_STRICT',
  1: 'SECCOMP_SET_MODE_FILTER',
  2: 'SECCOMP_GET_ACTION_AVAIL',
  3: 'SECCOMP_GET_NOTIF_SIZES',
};
export const SECCOMP_FILTER_FLAGS: Words = {
  1: 'TSYNC',
  2: 'LOG',
  4: 'SPEC_ALLOW',
  8: 'NEW_LISTENER',
  16: 'TSYNC_ESRCH',
  32: 'WAIT_KILLABLE_RECV',
};

/** linux/prctl.h. */
export const PRCTL_OPTIONS: Words = {
  1: 'PR_SET_PDEATHSIG',
  2: 'PR_GET_PDEATHSIG',
  3: 'PR_GET_DUMPABLE',
  4: 'PR_SET_DUMPABLE',
  8: 'PR_SET_KEEPCAPS',
  15: 'PR_SET_NAME',
  16: 'PR_GET_NAME',
  21: 'PR_GET_SECCOMP',
  22: 'PR_SET_SECCOMP',
  23: 'PR_CAPBSET_READ',
  24: 'PR_CAPBSET_DROP',
  28: 'PR_SET_SECUREBITS',
  29: 'PR_SET_TIMERSLACK',
  35: 'PR_SET_MM',
  36: 'PR_SET_CHILD_SUBREAPER',
  38: 'PR_SET_NO_NEW_PRIVS',
  39: 'PR_GET_NO_NEW_PRIVS',
  41: 'PR_SET_THP_DISABLE',
  47: 'PR_CAP_AMBIENT',
  52: 'PR_GET_SPECULATION_CTRL',
  53: 'PR_SET_SPECULATION_CTRL',
  59: 'PR_SET_SYSCALL_USER_DISPATCH',
  0x59616d61: 'PR_SET_PTRACER',
  0x53564d41: 'PR_SET_VMA',
};

/** asm-generic/mman-common.h. */
export const PROTECTIONS: Words = { 1: 'PROT_READ', 2: 'PROT_WRITE', 4: 'PROT_EXEC' };

/** asm-generic/resource.h. */
export const RESOURCES: Words = {
  0: 'RLIMIT_CPU',
  1: 'RLIMIT_FSIZE',
  2: 'RLIMIT_DATA',
  3: 'RLIMIT_STACK',
  4: 'RLIMIT_CORE',
  6: 'RLIMIT_NPROC',
  7: 'RLIMIT_NOFILE',
  8: 'RLIMIT_MEMLOCK',
  9: 'RLIMIT_AS',
};

/** linux/resource.h. */
export const PRIORITY_SCOPES: Words = { 0: 'PRIO_PROCESS', 1: 'PRIO_PGRP', 2: 'PRIO_USER' };
/** linux/ioprio.h. */
export const IO_PRIORITY_SCOPES: Words = { 1: 'IOPRIO_WHO_PROCESS', 2: 'IOPRIO_WHO_PGRP', 3: 'IOPRIO_WHO_USER' };

/** asm-generic/fcntl.h without the access mode; those whose value all architectures share. */
export const OPEN_FLAGS: Words = {
  0o100: 'O_CREAT',
  0o200: 'O_EXCL',
  0o400: 'O_NOCTTY',
  0o1000: 'O_TRUNC',
  0o2000: 'O_APPEND',
  0o4000: 'O_NONBLOCK',
  0o2000000: 'O_CLOEXEC',
  0o10000000: 'O_PATH',
};
export const ACCESS_MODES: Words = { 0: 'O_RDONLY', 1: 'O_WRONLY', 2: 'O_RDWR' };

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/** One word out of a closed set, or the number. */
export function word(words: Words, value: number): string {
  return words[value] ?? String(value);
}

/** Set bits by name, joined with `|`; what has no name stays a hexadecimal number. */
export function flags(words: Words, value: number): string {
  const named = Object.entries(words).filter(([bit]) => (value & Number(bit)) !== 0);
  const rest = named.reduce((left, [bit]) => left & ~Number(bit), value) >>> 0;
  return [...named.map(([, name]) => name), ...(rest !== 0 || named.length === 0 ? [hex(rest)] : [])].join('|');
}
