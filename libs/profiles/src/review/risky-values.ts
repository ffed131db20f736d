/** Values of arguments that a reviewer should know about where a profile allows them. */

export interface RiskyValue {
  /** By argument: together they are what is risky. */
  readonly values: Readonly<Record<number, number>>;
  readonly reason: string;
  /** Also what a call of the name without conditions is told of. */
  readonly isGivenUp?: true;
}

const of = (argument: number, value: number, reason: string): RiskyValue => ({ values: { [argument]: value }, reason });
const option = (level: number, name: number, reason: string): RiskyValue => ({ values: { 1: level, 2: name }, reason });

const WRITABLE_CODE: RiskyValue = {
  ...of(2, 7, 'W^X is given up: memory may be writable and executable at once, the usual place of injected code'),
  isGivenUp: true,
};
const RAW = 'SOCK_RAW: makes and reads packets by itself';

export const RISKY_VALUES: Readonly<Record<string, readonly RiskyValue[]>> = {
  mmap: [WRITABLE_CODE],
  mprotect: [WRITABLE_CODE],
  pkey_mprotect: [WRITABLE_CODE],
  socket: [
    of(0, 2, 'AF_INET: reaches whatever the network namespace does'),
    of(0, 10, 'AF_INET6: reaches whatever the network namespace does'),
    of(0, 15, "AF_KEY: configures the kernel's packet encryption"),
    of(0, 16, 'AF_NETLINK: talks to the kernel about network, devices and audit, through much rarely used code'),
    of(0, 17, 'AF_PACKET: reads and makes whole packets, with a long record of kernel faults'),
    of(0, 29, 'AF_CAN: a family that few programs need, with a record of kernel faults'),
    of(0, 31, 'AF_BLUETOOTH: a family that few programs need, with a record of kernel faults'),
    of(0, 38, "AF_ALG: the kernel's ciphers, with a record of kernel faults"),
    of(0, 44, 'AF_XDP: packets past the network stack'),
    of(1, 3, RAW),
  ],
  setsockopt: [
    option(1, 26, 'may attach a filter program to sockets (SO_ATTACH_FILTER)'),
    option(1, 50, 'may attach a BPF program to sockets (SO_ATTACH_BPF)'),
    option(0, 64, 'may change packet filter tables (IPT_SO_SET_REPLACE)'),
  ],
  ioctl: [
    of(1, 0x5412, 'TIOCSTI: types into a terminal, and so into the shell behind it'),
    of(1, 0x541c, 'TIOCLINUX: pastes into a console'),
    of(1, 0x5423, 'TIOCSETD: loads line disciplines, with a long record of kernel faults'),
    of(1, 0x540e, 'TIOCSCTTY: takes a terminal over'),
  ],
  fcntl: [
    of(1, 8, 'F_SETOWN: has signals sent to a process of its choice'),
    of(1, 10, 'F_SETSIG: has signals of its choice sent'),
    of(1, 1024, 'F_SETLEASE: holds up those who open a file'),
    of(1, 1026, 'F_NOTIFY: watches directories'),
  ],
  prctl: [
    of(0, 4, 'PR_SET_DUMPABLE: lets others of its user look into the process'),
    of(0, 22, 'PR_SET_SECCOMP: adds filters of its own'),
    of(0, 35, 'PR_SET_MM: changes what the kernel says about the process'),
    of(0, 28, 'PR_SET_SECUREBITS: changes how capabilities work'),
    of(0, 47, 'PR_CAP_AMBIENT: keeps capabilities over execve'),
    of(0, 53, 'PR_SET_SPECULATION_CTRL: changes protection from speculative attacks'),
    of(0, 59, 'PR_SET_SYSCALL_USER_DISPATCH: answers system calls itself'),
    of(0, 0x59616d61, 'PR_SET_PTRACER: lets another process take control'),
  ],
  madvise: [
    of(2, 12, 'MADV_MERGEABLE: shares equal pages with others, which tells what they hold'),
    of(2, 100, 'MADV_HWPOISON: marks memory of the node as broken'),
  ],
  mremap: [of(3, 5, 'MREMAP_DONTUNMAP: leaves the old mapping behind, a help for exploits')],
  renameat2: [of(4, 4, 'RENAME_WHITEOUT: makes a device')],
};
