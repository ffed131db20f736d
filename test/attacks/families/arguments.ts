/** Calls that honest programs make too, with arguments that they do not use. */
import { type Family } from '../attack.js';

export const ARGUMENTS: Family = {
  name: 'with other arguments',
  attacks: [
    {
      name: 'push-input',
      tries: 'pushes input into a terminal with TIOCSTI',
      learned: {
        by: 'filter',
        says: { TIOCSTI: 'ENOSYS', 'garbage-above': 'ENOSYS', TIOCLINUX: 'ENOSYS' },
        denials: ['1 x ioctl(TIOCLINUX) ENOSYS', '2 x ioctl(TIOCSTI) ENOSYS'],
      },
      precise: {
        by: 'filter',
        says: { TIOCSTI: 'ENOSYS', 'garbage-above': 'ENOSYS', TIOCLINUX: 'ENOSYS' },
        denials: ['1 x ioctl(TIOCLINUX) ENOSYS', '2 x ioctl(TIOCSTI) ENOSYS'],
      },
      everything: { by: 'container', says: { TIOCSTI: 'ENOTTY', 'garbage-above': 'ENOTTY', TIOCLINUX: 'ENOTTY' } },
    },
    {
      name: 'other-families',
      tries: 'opens sockets of other families than its own',
      learned: {
        by: 'filter',
        says: { AF_INET: 'EPERM', AF_INET6: 'EPERM', AF_PACKET: 'EPERM', AF_NETLINK: 'EPERM' },
        denials: [
          '1 x socket(AF_INET, SOCK_STREAM, 0) EPERM',
          '1 x socket(AF_INET6, SOCK_DGRAM, 0) EPERM',
          '1 x socket(AF_NETLINK, SOCK_RAW, 0) EPERM',
          '1 x socket(AF_PACKET, SOCK_RAW, 0) EPERM',
        ],
      },
      precise: {
        by: 'filter',
        says: { AF_INET: 'EPERM', AF_INET6: 'EPERM', AF_PACKET: 'EPERM', AF_NETLINK: 'EPERM' },
        denials: [
          '1 x socket(AF_INET, SOCK_STREAM, 0) EPERM',
          '1 x socket(AF_INET6, SOCK_DGRAM, 0) EPERM',
          '1 x socket(AF_NETLINK, SOCK_RAW, 0) EPERM',
          '1 x socket(AF_PACKET, SOCK_RAW, 0) EPERM',
        ],
      },
      everything: { by: 'container', says: { AF_INET: 'ok', AF_INET6: 'ok', AF_PACKET: 'EPERM', AF_NETLINK: 'ok' } },
    },
    {
      name: 'garbage-family',
      tries: "the same, with garbage in the argument's high word",
      learned: {
        by: 'filter',
        says: { AF_INET: 'EPERM', AF_PACKET: 'EPERM' },
        denials: ['1 x socket(AF_INET, SOCK_STREAM, 0) EPERM', '1 x socket(AF_PACKET, SOCK_RAW, 0) EPERM'],
      },
      precise: {
        by: 'filter',
        says: { AF_INET: 'EPERM', AF_PACKET: 'EPERM' },
        denials: ['1 x socket(AF_INET, SOCK_STREAM, 0) EPERM', '1 x socket(AF_PACKET, SOCK_RAW, 0) EPERM'],
      },
      everything: { by: 'container', says: { AF_INET: 'ok', AF_PACKET: 'EPERM' } },
    },
    {
      name: 'garbage-allowed',
      tries: 'opens a local socket, with garbage in the high word',
      learned: {
        by: 'filter',
        says: { AF_UNIX: 'EPERM' },
        denials: ['1 x socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) EPERM'],
      },
      precise: { by: 'nothing', says: { AF_UNIX: 'ok' } },
      everything: { by: 'nothing', says: { AF_UNIX: 'ok' } },
    },
    {
      name: 'executable-memory',
      tries: 'makes memory executable that it can write',
      learned: { by: 'nothing', says: { mmap: 'ok', mprotect: 'ok' } },
      precise: {
        by: 'filter',
        says: { mmap: 'ENOSYS', mprotect: 'ok' },
        denials: ['1 x mmap(PROT_READ|PROT_WRITE|PROT_EXEC, MAP_PRIVATE|MAP_ANONYMOUS) ENOSYS'],
      },
      everything: { by: 'nothing', says: { mmap: 'ok', mprotect: 'ok' } },
    },
    {
      name: 'other-controls',
      tries: 'uses options of prctl, fcntl and madvise beside its own',
      learned: {
        by: 'filter',
        says: {
          PR_SET_DUMPABLE: 'ENOSYS',
          PR_SET_MM: 'ENOSYS',
          PR_SET_SECCOMP: 'ENOSYS',
          F_NOTIFY: 'ENOSYS',
          MADV_HWPOISON: 'EINVAL|EPERM|ok',
        },
        denials: [
          '1 x fcntl(F_NOTIFY) ENOSYS',
          '1 x prctl(PR_SET_MM) ENOSYS',
          '1 x prctl(PR_SET_DUMPABLE) ENOSYS',
          '1 x prctl(PR_SET_SECCOMP) ENOSYS',
        ],
      },
      precise: {
        by: 'filter',
        says: {
          PR_SET_DUMPABLE: 'ENOSYS',
          PR_SET_MM: 'ENOSYS',
          PR_SET_SECCOMP: 'ENOSYS',
          F_NOTIFY: 'ENOSYS',
          MADV_HWPOISON: 'ENOSYS',
        },
        denials: [
          '1 x fcntl(F_NOTIFY) ENOSYS',
          '1 x madvise(MADV_HWPOISON) ENOSYS',
          '1 x prctl(PR_SET_DUMPABLE) ENOSYS',
          '1 x prctl(PR_SET_MM) ENOSYS',
          '1 x prctl(PR_SET_SECCOMP) ENOSYS',
        ],
      },
      everything: {
        by: 'container',
        says: {
          PR_SET_DUMPABLE: 'ok',
          PR_SET_MM: 'EPERM',
          PR_SET_SECCOMP: 'EFAULT',
          F_NOTIFY: 'ok',
          MADV_HWPOISON: 'EINVAL|EPERM|ok',
        },
      },
    },
  ],
};
