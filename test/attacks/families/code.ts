/** Code that was not in the program. */
import { type Family } from '../attack.js';

export const CODE: Family = {
  name: 'with other code',
  attacks: [
    {
      name: 'exec-shell',
      tries: 'starts a shell',
      learned: { by: 'filter', says: { execve: 'EPERM', child: 'exit-95' }, denials: ['1 x execve("/bin/sh") EPERM'] },
      precise: { by: 'landlock', says: { execve: 'EACCES', child: 'exit-95' } },
      everything: { by: 'nothing', says: { child: 'exit-7' } },
    },
    {
      name: 'exec-setuid',
      tries: 'starts a set-user-id program of the image',
      learned: {
        by: 'filter',
        says: { execve: 'EPERM', child: 'exit-95' },
        denials: ['1 x execve("/attack-setuid") EPERM'],
      },
      precise: { by: 'landlock', says: { execve: 'EACCES', child: 'exit-95' } },
      everything: { by: 'container', says: { user: 'own', child: 'exit-7' } },
    },
    {
      name: 'exec-temporary',
      tries: 'starts a program that it wrote to /tmp',
      learned: {
        by: 'filter',
        says: { write: 'ok', execve: 'EPERM', child: 'exit-95' },
        denials: ['1 x execve("/tmp/program") EPERM'],
      },
      precise: { by: 'container', says: { write: 'ok', execve: 'EACCES', child: 'exit-95' } },
      everything: { by: 'container', says: { write: 'ok', execve: 'EACCES', child: 'exit-95' } },
    },
    {
      name: 'exec-output',
      tries: 'starts a program that it wrote to its outputs, which the filter holds too',
      learned: {
        by: 'filter',
        says: { write: 'ok', execve: 'EPERM', child: 'exit-95' },
        denials: ['1 x execve("/out/program") EPERM'],
      },
      precise: { by: 'landlock', says: { write: 'ok', execve: 'EACCES', child: 'exit-95' } },
      everything: {
        by: 'ceiling',
        says: { write: 'ok', user: 'own', bpf: 'EPERM', child: 'exit-7' },
        denials: ['1 x bpf(BPF_MAP_CREATE) EPERM'],
      },
    },
    {
      name: 'exec-memory',
      tries: 'starts a program from a file without a name, which the filter holds too',
      learned: {
        by: 'filter',
        says: { memfd_create: 'ENOSYS', execveat: 'ENOSYS', child: 'exit-95' },
        denials: ['1 x execveat("", AT_EMPTY_PATH) ENOSYS', '1 x memfd_create("program", 0) ENOSYS'],
      },
      precise: {
        by: 'filter',
        says: { memfd_create: 'ENOSYS', execveat: 'ENOSYS', child: 'exit-95' },
        denials: ['1 x execveat("", AT_EMPTY_PATH) ENOSYS', '1 x memfd_create("program", 0) ENOSYS'],
      },
      everything: {
        by: 'ceiling',
        says: { memfd_create: 'ok', write: 'ok', user: 'own', bpf: 'EPERM', child: 'exit-7' },
        denials: ['1 x bpf(BPF_MAP_CREATE) EPERM'],
      },
    },
    {
      name: 'leave-daemon',
      tries: 'leaves a process behind',
      learned: { by: 'container', says: { fork: 'ok' } },
      precise: { by: 'container', says: { fork: 'ok' } },
      everything: { by: 'container', says: { fork: 'ok' } },
    },
    {
      name: 'constructor',
      tries: 'attacks before main, in an ELF constructor',
      learned: {
        by: 'filter',
        says: { socket: 'EPERM', unshare: 'EPERM' },
        denials: ['1 x socket(AF_INET, SOCK_STREAM, 0) EPERM', '1 x unshare(CLONE_NEWUSER) EPERM'],
      },
      precise: {
        by: 'filter',
        says: { socket: 'EPERM', unshare: 'EPERM' },
        denials: ['1 x socket(AF_INET, SOCK_STREAM, 0) EPERM', '1 x unshare(CLONE_NEWUSER) EPERM'],
      },
      everything: {
        by: 'ceiling',
        says: { socket: 'ok', unshare: 'EPERM' },
        denials: ['1 x unshare(CLONE_NEWUSER) EPERM'],
      },
    },
  ],
};
