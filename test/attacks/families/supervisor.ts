/** Against porin-init, which shares the payload's user. */
import { type Family } from '../attack.js';

export const SUPERVISOR: Family = {
  name: 'against porin-init',
  attacks: [
    {
      name: 'ptrace-attach',
      tries: 'traces porin-init',
      learned: { by: 'filter', says: { attach: 'EPERM' }, denials: ['1 x ptrace(PTRACE_ATTACH, pid 1) EPERM'] },
      precise: { by: 'filter', says: { attach: 'EPERM' }, denials: ['1 x ptrace(PTRACE_ATTACH, pid 1) EPERM'] },
      everything: { by: 'porin-init', says: { attach: 'EPERM' } },
    },
    {
      name: 'ptrace-seize',
      tries: 'traces porin-init without stopping it',
      learned: { by: 'filter', says: { seize: 'EPERM' }, denials: ['1 x ptrace(PTRACE_SEIZE, pid 1) EPERM'] },
      precise: { by: 'filter', says: { seize: 'EPERM' }, denials: ['1 x ptrace(PTRACE_SEIZE, pid 1) EPERM'] },
      everything: { by: 'porin-init', says: { seize: 'EPERM' } },
    },
    {
      name: 'foreign-memory',
      tries: "reads and writes porin-init's memory by process_vm_*",
      learned: {
        by: 'filter',
        says: { process_vm_readv: 'EPERM', process_vm_writev: 'EPERM' },
        denials: ['1 x process_vm_readv(pid 1) EPERM', '1 x process_vm_writev(pid 1) EPERM'],
      },
      precise: {
        by: 'filter',
        says: { process_vm_readv: 'EPERM', process_vm_writev: 'EPERM' },
        denials: ['1 x process_vm_readv(pid 1) EPERM', '1 x process_vm_writev(pid 1) EPERM'],
      },
      everything: {
        by: 'filter',
        says: { process_vm_readv: 'EPERM', process_vm_writev: 'EPERM' },
        denials: ['1 x process_vm_readv(pid 1) EPERM', '1 x process_vm_writev(pid 1) EPERM'],
      },
    },
    {
      name: 'init-files',
      tries: "opens porin-init's memory, environment and descriptors in /proc",
      learned: {
        by: 'porin-init',
        says: { mem: 'EACCES', environ: 'EACCES', maps: 'EACCES', descriptors: 'EACCES', oom: 'EACCES' },
      },
      precise: {
        by: 'porin-init',
        says: { mem: 'EACCES', environ: 'EACCES', maps: 'EACCES', descriptors: 'EACCES', oom: 'EACCES' },
      },
      everything: {
        by: 'porin-init',
        says: { mem: 'EACCES', environ: 'EACCES', maps: 'EACCES', descriptors: 'EACCES', oom: 'EACCES' },
      },
    },
    {
      name: 'init-descriptor',
      tries: 'takes a descriptor of porin-init, and kills it by a pidfd',
      learned: {
        by: 'filter',
        says: { pidfd_open: 'ENOSYS', pidfd_getfd: 'EPERM' },
        denials: ['1 x pidfd_getfd() EPERM', '1 x pidfd_open(pid 1) ENOSYS'],
      },
      precise: {
        by: 'filter',
        says: { pidfd_open: 'ENOSYS', pidfd_getfd: 'EPERM' },
        denials: ['1 x pidfd_getfd() EPERM', '1 x pidfd_open(pid 1) ENOSYS'],
      },
      everything: {
        by: 'ceiling',
        says: { pidfd_open: 'ok', pidfd_getfd: 'EPERM', pidfd_send_signal: 'ok' },
        denials: ['1 x pidfd_getfd() EPERM'],
      },
    },
    {
      name: 'kcmp',
      tries: "compares its kernel objects with porin-init's",
      learned: { by: 'filter', says: { kcmp: 'EPERM' }, denials: ['1 x kcmp(pid 1, pid 1, KCMP_VM) EPERM'] },
      precise: { by: 'filter', says: { kcmp: 'EPERM' }, denials: ['1 x kcmp(pid 1, pid 1, KCMP_VM) EPERM'] },
      everything: { by: 'filter', says: { kcmp: 'EPERM' }, denials: ['1 x kcmp(pid 1, pid 1, KCMP_VM) EPERM'] },
    },
    {
      name: 'init-signals',
      tries: 'kills and stops porin-init',
      learned: {
        by: 'filter',
        says: { kill: 'ENOSYS', stop: 'ENOSYS' },
        denials: ['1 x kill(pid 1, SIGSTOP) ENOSYS', '1 x kill(pid 1, SIGKILL) ENOSYS'],
      },
      precise: { by: 'landlock', says: { kill: 'EPERM', stop: 'EPERM' } },
      everything: { by: 'porin-init', says: { kill: 'ok', stop: 'ok' } },
    },
    {
      name: 'forge-signals',
      tries: 'sends porin-init signals in the name of others',
      learned: {
        by: 'filter',
        says: { tgkill: 'EPERM', forge: 'ENOSYS' },
        denials: ['1 x rt_sigqueueinfo(pid 1, SIGTERM) ENOSYS', '1 x tgkill(pid 1, thread 1, SIGKILL) EPERM'],
      },
      precise: {
        by: 'filter',
        says: { tgkill: 'EPERM', forge: 'ENOSYS' },
        denials: ['1 x rt_sigqueueinfo(pid 1, SIGTERM) ENOSYS', '1 x tgkill(pid 1, thread 1, SIGKILL) EPERM'],
      },
      everything: {
        by: 'guard',
        says: { tgkill: 'EPERM', forge: 'EPERM' },
        denials: ['1 x tgkill(pid 1, thread 1, SIGKILL) EPERM'],
      },
    },
    {
      name: 'signal-all',
      tries: 'kills every process that it may signal',
      learned: { by: 'filter', says: { kill: 'ENOSYS' }, denials: ['1 x kill(pid -1, SIGKILL) ENOSYS'] },
      precise: { by: 'porin-init', says: { kill: 'ESRCH' } },
      everything: { by: 'porin-init', says: { kill: 'ESRCH' } },
    },
  ],
};
