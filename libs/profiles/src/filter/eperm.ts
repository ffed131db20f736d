/** Which errno a refused call gets: EPERM for the reviewed list here, ENOSYS for every other. */
import { guardOf } from './guards.js';

/**
 * Name -> why EPERM. libc falls back from a newer call only on ENOSYS (an EPERM for clone3 breaks thread creation), so a
 * call is here only if every supported kernel has it, no library has another way to try, and refusing is about
 * permission: "Operation not permitted" is then what the program's author must read.
 */
export const EPERM_REASONS: Readonly<Record<string, string>> = {
  execve: 'starts another program; a shell that reports ENOSYS misleads its reader',
  socket: 'opens the way to a network or a raw packet interface',
  connect: 'reaches a peer over a socket it may have inherited',
  ptrace: 'takes control of another process',
  process_vm_readv: 'reads the memory of another process',
  process_vm_writev: 'writes the memory of another process',
  kcmp: 'compares kernel objects of other processes',
  unshare: 'makes namespaces',
  setns: 'enters namespaces',
  chroot: 'changes the root directory',
  pivot_root: 'changes the root directory',
  mount: 'changes mounts',
  umount2: 'changes mounts',
  open_by_handle_at: 'opens files past directory permissions',
  quotactl: 'changes quotas of the node',
  swapon: "changes the node's memory",
  swapoff: "changes the node's memory",
  acct: 'turns process accounting on or off',
  bpf: 'loads programs into the kernel',
  perf_event_open: 'observes other processes and the kernel',
  userfaultfd: 'handles page faults in user space',
  init_module: 'loads kernel modules',
  finit_module: 'loads kernel modules',
  delete_module: 'unloads kernel modules',
  kexec_load: 'replaces the kernel',
  reboot: 'restarts the node',
  iopl: 'accesses hardware ports',
  ioperm: 'accesses hardware ports',
  settimeofday: "sets the node's clock",
  clock_settime: "sets the node's clock",
  adjtimex: "sets the node's clock",
  sethostname: 'names the node',
  setdomainname: 'names the node',
  syslog: 'reads or clears the kernel log',
  vhangup: 'hangs up a terminal',
  keyctl: 'uses kernel key rings',
  add_key: 'uses kernel key rings',
  request_key: 'uses kernel key rings',
  setuid: 'changes the user',
  setgid: 'changes the group',
  setreuid: 'changes the user',
  setregid: 'changes the group',
  setresuid: 'changes the user',
  setresgid: 'changes the group',
  setgroups: 'changes the groups',
  capset: 'changes capabilities',
};

/** The errno's name for a refused call; a guard's own errno comes first. */
export function refusalErrno(name: string): 'EPERM' | 'ENOSYS' {
  return guardOf(name)?.errno ?? (Object.hasOwn(EPERM_REASONS, name) ? 'EPERM' : 'ENOSYS');
}
