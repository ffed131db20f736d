/** The attacks of the paper's evaluation: files of the system, the network, a shell. */
import { type Family } from '../attack.js';

export const PAPER: Family = {
  name: 'of the paper',
  attacks: [
    {
      name: 'passwd',
      tries: "reads /etc/passwd, the image's own",
      learned: { by: 'nothing', says: { open: 'ok', read: 'ok' } },
      precise: { by: 'landlock', says: { open: 'EACCES' } },
      everything: { by: 'nothing', says: { open: 'ok', read: 'ok' } },
    },
    {
      name: 'shadow',
      tries: "reads /etc/shadow, which is root's",
      learned: { by: 'container', says: { open: 'EACCES' } },
      precise: { by: 'container', says: { open: 'EACCES' } },
      everything: { by: 'container', says: { open: 'EACCES' } },
    },
    {
      name: 'ifconfig',
      tries: 'lists and changes network interfaces',
      learned: { by: 'filter', says: { socket: 'EPERM' }, denials: ['1 x socket(AF_INET, SOCK_DGRAM, 0) EPERM'] },
      precise: { by: 'filter', says: { socket: 'EPERM' }, denials: ['1 x socket(AF_INET, SOCK_DGRAM, 0) EPERM'] },
      everything: { by: 'container', says: { socket: 'ok', SIOCGIFADDR: 'ENODEV', SIOCSIFFLAGS: 'EPERM' } },
    },
    {
      name: 'web-fetch',
      tries: 'fetches a web page',
      learned: {
        by: 'filter',
        says: { socket: 'EPERM' },
        denials: ['1 x socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) EPERM'],
      },
      precise: {
        by: 'filter',
        says: { socket: 'EPERM' },
        denials: ['1 x socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) EPERM'],
      },
      everything: { by: 'container', says: { socket: 'ok', connect: 'ENETUNREACH' } },
    },
    {
      name: 'raw-http',
      tries: 'sends HTTP over a raw socket',
      learned: {
        by: 'filter',
        says: { socket: 'EPERM' },
        denials: ['1 x socket(AF_INET, SOCK_RAW|SOCK_CLOEXEC, 6) EPERM'],
      },
      precise: {
        by: 'filter',
        says: { socket: 'EPERM' },
        denials: ['1 x socket(AF_INET, SOCK_RAW|SOCK_CLOEXEC, 6) EPERM'],
      },
      everything: { by: 'container', says: { socket: 'EPERM' } },
    },
    {
      name: 'packet-http',
      tries: 'sends HTTP over a packet socket',
      learned: { by: 'filter', says: { socket: 'EPERM' }, denials: ['1 x socket(AF_PACKET, SOCK_RAW, 768) EPERM'] },
      precise: { by: 'filter', says: { socket: 'EPERM' }, denials: ['1 x socket(AF_PACKET, SOCK_RAW, 768) EPERM'] },
      everything: { by: 'container', says: { socket: 'EPERM' } },
    },
    {
      name: 'connect-inherited',
      tries: 'connects a descriptor that it was given',
      learned: {
        by: 'filter',
        says: { connect: 'EPERM', sendto: 'ENOSYS' },
        denials: ['1 x connect(192.0.2.1:80) EPERM', '1 x sendto(192.0.2.1:80) ENOSYS'],
      },
      precise: {
        by: 'filter',
        says: { connect: 'ENOTSOCK', sendto: 'ENOSYS' },
        denials: ['1 x sendto(192.0.2.1:80) ENOSYS'],
      },
      everything: { by: 'container', says: { connect: 'ENOTSOCK', sendto: 'ENOTSOCK' } },
    },
    {
      name: 'curl-shell',
      tries: 'starts curl through a shell',
      learned: { by: 'filter', says: { execve: 'EPERM', shell: 'exit-95' }, denials: ['1 x execve("/bin/sh") EPERM'] },
      precise: { by: 'landlock', says: { execve: 'EACCES', shell: 'exit-95' } },
      everything: { by: 'container', says: { shell: 'exit-6' } },
    },
  ],
};
