/** Calls by other numbers than the native ones. */
import { type Family } from '../attack.js';

export const ABI: Family = {
  name: 'by another number',
  attacks: [
    {
      name: 'unknown-numbers',
      tries: 'makes calls that no table has',
      x86Only: true,
      learned: {
        by: 'filter',
        says: { '1000': 'ENOSYS', 'minus-one': 'ENOSYS', last: 'ENOSYS' },
        denials: ['1 x call -1() ENOSYS', '1 x call 1000() ENOSYS', '1 x call 2147483647() of the x32 ABI ENOSYS'],
      },
      precise: {
        by: 'filter',
        says: { '1000': 'ENOSYS', 'minus-one': 'ENOSYS', last: 'ENOSYS' },
        denials: ['1 x call -1() ENOSYS', '1 x call 1000() ENOSYS', '1 x call 2147483647() of the x32 ABI ENOSYS'],
      },
      everything: {
        by: 'filter',
        says: { '1000': 'ENOSYS', 'minus-one': 'ENOSYS', last: 'ENOSYS' },
        denials: ['1 x call -1() ENOSYS', '1 x call 1000() ENOSYS', '1 x call 2147483647() of the x32 ABI ENOSYS'],
      },
    },
    {
      name: 'x32',
      tries: 'makes x32 calls',
      x86Only: true,
      learned: {
        by: 'filter',
        says: { getppid: 'ENOSYS', socket: 'ENOSYS', execve: 'ENOSYS' },
        denials: [
          '1 x call 1073741865() of the x32 ABI ENOSYS',
          '1 x call 1073741934() of the x32 ABI ENOSYS',
          '1 x call 1073742344() of the x32 ABI ENOSYS',
        ],
      },
      precise: {
        by: 'filter',
        says: { getppid: 'ENOSYS', socket: 'ENOSYS', execve: 'ENOSYS' },
        denials: [
          '1 x call 1073741865() of the x32 ABI ENOSYS',
          '1 x call 1073741934() of the x32 ABI ENOSYS',
          '1 x call 1073742344() of the x32 ABI ENOSYS',
        ],
      },
      everything: {
        by: 'filter',
        says: { getppid: 'ENOSYS', socket: 'ENOSYS', execve: 'ENOSYS' },
        denials: [
          '1 x call 1073741865() of the x32 ABI ENOSYS',
          '1 x call 1073741934() of the x32 ABI ENOSYS',
          '1 x call 1073742344() of the x32 ABI ENOSYS',
        ],
      },
    },
    {
      name: 'i386',
      tries: 'makes i386 calls through int 0x80',
      x86Only: true,
      learned: {
        by: 'filter',
        says: { getpid: 'ENOSYS', execve: 'ENOSYS', clone: 'EPERM', socket: 'ENOSYS' },
        denials: [
          '1 x call 11() of the i386 ABI ENOSYS',
          '1 x call 20() of the i386 ABI ENOSYS',
          '1 x call 359() of the i386 ABI ENOSYS',
        ],
      },
      precise: {
        by: 'filter',
        says: { getpid: 'ENOSYS', execve: 'ENOSYS', clone: 'EPERM', socket: 'ENOSYS' },
        denials: [
          '1 x call 11() of the i386 ABI ENOSYS',
          '1 x call 20() of the i386 ABI ENOSYS',
          '1 x call 359() of the i386 ABI ENOSYS',
        ],
      },
      everything: {
        by: 'filter',
        says: { getpid: 'ENOSYS', execve: 'ENOSYS', clone: 'EPERM', socket: 'ENOSYS' },
        denials: [
          '1 x call 11() of the i386 ABI ENOSYS',
          '1 x call 20() of the i386 ABI ENOSYS',
          '1 x call 359() of the i386 ABI ENOSYS',
        ],
      },
    },
    {
      name: 'socketcall',
      tries: "opens a socket through i386's socketcall, its arguments in memory",
      x86Only: true,
      learned: { by: 'filter', says: { socketcall: 'ENOSYS' }, denials: ['1 x call 102() of the i386 ABI ENOSYS'] },
      precise: { by: 'filter', says: { socketcall: 'ENOSYS' }, denials: ['1 x call 102() of the i386 ABI ENOSYS'] },
      everything: { by: 'filter', says: { socketcall: 'ENOSYS' }, denials: ['1 x call 102() of the i386 ABI ENOSYS'] },
    },
    {
      name: 'wide-number',
      tries: "puts garbage into the number's high word",
      x86Only: true,
      learned: {
        by: 'filter',
        says: { socket: 'EPERM', bpf: 'EPERM' },
        denials: ['1 x bpf(BPF_MAP_CREATE) EPERM', '1 x socket(AF_INET, SOCK_STREAM, 0) EPERM'],
      },
      precise: {
        by: 'filter',
        says: { socket: 'EPERM', bpf: 'EPERM' },
        denials: ['1 x bpf(BPF_MAP_CREATE) EPERM', '1 x socket(AF_INET, SOCK_STREAM, 0) EPERM'],
      },
      everything: { by: 'ceiling', says: { socket: 'ok', bpf: 'EPERM' }, denials: ['1 x bpf(BPF_MAP_CREATE) EPERM'] },
    },
  ],
};
