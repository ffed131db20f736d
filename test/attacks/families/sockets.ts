/** Sockets beside the internet's, abstract names, services, and porin-init's control socket. */
import { type Family } from '../attack.js';

export const SOCKETS: Family = {
  name: 'over sockets',
  attacks: [
    {
      name: 'families',
      tries: 'opens sockets of families with a record of faults',
      learned: {
        by: 'filter',
        says: { AF_NETLINK: 'EPERM', AF_ALG: 'EPERM', AF_KEY: 'EPERM', AF_XDP: 'EPERM' },
        denials: [
          '1 x socket(AF_ALG, SOCK_SEQPACKET, 0) EPERM',
          '1 x socket(AF_KEY, SOCK_RAW, 2) EPERM',
          '1 x socket(AF_NETLINK, SOCK_RAW, 0) EPERM',
          '1 x socket(AF_XDP, SOCK_RAW, 0) EPERM',
        ],
      },
      precise: {
        by: 'filter',
        says: { AF_NETLINK: 'EPERM', AF_ALG: 'EPERM', AF_KEY: 'EPERM', AF_XDP: 'EPERM' },
        denials: [
          '1 x socket(AF_ALG, SOCK_SEQPACKET, 0) EPERM',
          '1 x socket(AF_KEY, SOCK_RAW, 2) EPERM',
          '1 x socket(AF_NETLINK, SOCK_RAW, 0) EPERM',
          '1 x socket(AF_XDP, SOCK_RAW, 0) EPERM',
        ],
      },
      everything: {
        by: 'container',
        says: {
          AF_NETLINK: 'ok',
          AF_ALG: 'ok|EAFNOSUPPORT',
          AF_KEY: 'EPERM|EAFNOSUPPORT',
          AF_XDP: 'EPERM|EAFNOSUPPORT',
        },
      },
    },
    {
      name: 'hypervisor',
      tries: 'talks to the hypervisor',
      learned: { by: 'guard', says: { AF_VSOCK: 'EPERM' }, denials: ['1 x socket(AF_VSOCK, SOCK_STREAM, 0) EPERM'] },
      precise: { by: 'guard', says: { AF_VSOCK: 'EPERM' }, denials: ['1 x socket(AF_VSOCK, SOCK_STREAM, 0) EPERM'] },
      everything: { by: 'guard', says: { AF_VSOCK: 'EPERM' }, denials: ['1 x socket(AF_VSOCK, SOCK_STREAM, 0) EPERM'] },
    },
    {
      name: 'abstract',
      tries: 'connects to an abstract name of the host',
      learned: {
        by: 'filter',
        says: { socket: 'EPERM' },
        denials: ['1 x socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) EPERM'],
      },
      precise: { by: 'container', says: { socket: 'ok', connect: 'ECONNREFUSED' } },
      everything: { by: 'container', says: { socket: 'ok', connect: 'ECONNREFUSED' } },
    },
    {
      name: 'service',
      tries: 'offers a service',
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
      everything: { by: 'container', says: { socket: 'ok', bind: 'ok', listen: 'ok' } },
    },
    {
      name: 'control-socket',
      tries: "finds porin-init's directory, and talks to the worker in its place",
      learned: {
        by: 'filter',
        says: { list: 'ok', 'write-init': 'EACCES', connect: 'EPERM' },
        denials: [
          '1 x connect(unix "/run/porin/<run>/control.sock") EPERM',
          '1 x socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) EPERM',
        ],
      },
      precise: { by: 'landlock', says: { list: 'EACCES' } },
      everything: { by: 'container', says: { list: 'ok', 'write-init': 'EACCES', connect: 'ECONNREFUSED' } },
    },
  ],
};
