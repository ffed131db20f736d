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
        says: { pidfd_open: 'ENOSYS', pidfd_getfd: 'ENOSYS' },
        denials: ['1 x pidfd_getfd() ENOSYS', '1 x pidfd_open(pid 1) ENOSYS'],
      },
      precise: {
        by: 'filter',
        says: { pidfd_open: 'ENOSYS', pidfd_getfd: 'ENOSYS' },
        denials: ['1 x pidfd_getfd() ENOSYS', '1 x pidfd_open(pid 1) ENOSYS'],
      },
      everything: {
        by: 'ceiling',
        says: { pidfd_open: 'ok', pidfd_getfd: 'ENOSYS', pidfd_send_signal: 'ok' },
        denials: ['1 x pidfd_getfd() ENOSYS'],
      },
    },
    {
      name: 'kcmp',
      tries: "compares its kernel objects with porin-init's",
      learned: { by: 'filter', says: { kcmp: 'EPERM' }, denials: ['1 x kcmp() EPERM'] },
      precise: { by: 'filter', says: { kcmp: 'EPERM' }, denials: ['1 x kcmp() EPERM'] },
      everything: { by: 'filter', says: { kcmp: 'EPERM' }, denials: ['1 x kcmp() EPERM'] },
    },
    {
      name: 'init-limits',
      tries: "sets porin-init's limits, to kill or hang it",
      learned: {
        by: 'guard',
        says: { cpu: 'EPERM', nofile: 'EPERM' },
        denials: ['1 x prlimit64(pid 1, RLIMIT_CPU) EPERM', '1 x prlimit64(pid 1, RLIMIT_NOFILE) EPERM'],
      },
      precise: {
        by: 'guard',
        says: { cpu: 'EPERM', nofile: 'EPERM' },
        denials: ['1 x prlimit64(pid 1, RLIMIT_CPU) EPERM', '1 x prlimit64(pid 1, RLIMIT_NOFILE) EPERM'],
      },
      everything: {
        by: 'guard',
        says: { cpu: 'EPERM', nofile: 'EPERM' },
        denials: ['1 x prlimit64(pid 1, RLIMIT_CPU) EPERM', '1 x prlimit64(pid 1, RLIMIT_NOFILE) EPERM'],
      },
    },
    {
      name: 'init-limits-wide',
      tries: "the same, with garbage in the pid's high word",
      learned: { by: 'guard', says: { cpu: 'EPERM' }, denials: ['1 x prlimit64(pid 1, RLIMIT_CPU) EPERM'] },
      precise: { by: 'guard', says: { cpu: 'EPERM' }, denials: ['1 x prlimit64(pid 1, RLIMIT_CPU) EPERM'] },
      everything: { by: 'guard', says: { cpu: 'EPERM' }, denials: ['1 x prlimit64(pid 1, RLIMIT_CPU) EPERM'] },
    },
    {
      name: 'init-scheduling',
      tries: 'starves porin-init by its scheduling',
      learned: {
        by: 'filter',
        says: { scheduler: 'EPERM', parameters: 'EPERM', attributes: 'EPERM', affinity: 'EPERM' },
        denials: [
          '1 x sched_setaffinity(pid 1) EPERM',
          '1 x sched_setattr(pid 1) EPERM',
          '1 x sched_setparam(pid 1) EPERM',
          '1 x sched_setscheduler(pid 1) EPERM',
        ],
      },
      precise: {
        by: 'filter',
        says: { scheduler: 'EPERM', parameters: 'EPERM', attributes: 'EPERM', affinity: 'EPERM' },
        denials: [
          '1 x sched_setaffinity(pid 1) EPERM',
          '1 x sched_setattr(pid 1) EPERM',
          '1 x sched_setparam(pid 1) EPERM',
          '1 x sched_setscheduler(pid 1) EPERM',
        ],
      },
      everything: {
        by: 'guard',
        says: { scheduler: 'EPERM', parameters: 'EPERM', attributes: 'EPERM', affinity: 'EPERM' },
        denials: [
          '1 x sched_setaffinity(pid 1) EPERM',
          '1 x sched_setattr(pid 1) EPERM',
          '1 x sched_setparam(pid 1) EPERM',
          '1 x sched_setscheduler(pid 1) EPERM',
        ],
      },
    },
    {
      name: 'init-priority',
      tries: 'starves porin-init by its priority, also through group and user',
      learned: {
        by: 'filter',
        says: {
          process: 'EPERM',
          group: 'EPERM',
          user: 'EPERM',
          'disk-process': 'EPERM',
          'disk-group': 'EPERM',
          'disk-user': 'EPERM',
        },
        denials: [
          '1 x ioprio_set(IOPRIO_WHO_PGRP, of 1) EPERM',
          '1 x ioprio_set(IOPRIO_WHO_PROCESS, of 1) EPERM',
          '1 x ioprio_set(IOPRIO_WHO_USER, of 0) EPERM',
          '1 x setpriority(PRIO_PGRP, of 1) EPERM',
          '1 x setpriority(PRIO_PROCESS, of 1) EPERM',
          '1 x setpriority(PRIO_USER, of 0) EPERM',
        ],
      },
      precise: {
        by: 'filter',
        says: {
          process: 'EPERM',
          group: 'EPERM',
          user: 'EPERM',
          'disk-process': 'EPERM',
          'disk-group': 'EPERM',
          'disk-user': 'EPERM',
        },
        denials: [
          '1 x ioprio_set(IOPRIO_WHO_PGRP, of 1) EPERM',
          '1 x ioprio_set(IOPRIO_WHO_PROCESS, of 1) EPERM',
          '1 x ioprio_set(IOPRIO_WHO_USER, of 0) EPERM',
          '1 x setpriority(PRIO_PGRP, of 1) EPERM',
          '1 x setpriority(PRIO_PROCESS, of 1) EPERM',
          '1 x setpriority(PRIO_USER, of 0) EPERM',
        ],
      },
      everything: {
        by: 'guard',
        says: {
          process: 'EPERM',
          group: 'EPERM',
          user: 'EPERM',
          'disk-process': 'EPERM',
          'disk-group': 'EPERM',
          'disk-user': 'EPERM',
        },
        denials: [
          '1 x ioprio_set(IOPRIO_WHO_PGRP, of 1) EPERM',
          '1 x ioprio_set(IOPRIO_WHO_PROCESS, of 1) EPERM',
          '1 x ioprio_set(IOPRIO_WHO_USER, of 0) EPERM',
          '1 x setpriority(PRIO_PGRP, of 1) EPERM',
          '1 x setpriority(PRIO_PROCESS, of 1) EPERM',
          '1 x setpriority(PRIO_USER, of 0) EPERM',
        ],
      },
    },
    {
      name: 'init-signals',
      tries: 'kills and stops porin-init',
      learned: {
        by: 'filter',
        says: { kill: 'ENOSYS', stop: 'ENOSYS' },
        denials: ['1 x kill(pid 1, signal 19) ENOSYS', '1 x kill(pid 1, signal 9) ENOSYS'],
      },
      precise: { by: 'landlock', says: { kill: 'EPERM', stop: 'EPERM' } },
      everything: { by: 'porin-init', says: { kill: 'ok', stop: 'ok' } },
    },
    {
      name: 'forge-signals',
      tries: 'sends porin-init signals in the name of others',
      learned: {
        by: 'filter',
        says: { tgkill: 'ENOSYS', forge: 'ENOSYS' },
        denials: ['1 x rt_sigqueueinfo(pid 1, signal 15) ENOSYS', '1 x tgkill(pid 1, thread 1, signal 9) ENOSYS'],
      },
      precise: {
        by: 'filter',
        says: { tgkill: 'ENOSYS', forge: 'ENOSYS' },
        denials: ['1 x rt_sigqueueinfo(pid 1, signal 15) ENOSYS', '1 x tgkill(pid 1, thread 1, signal 9) ENOSYS'],
      },
      everything: { by: 'porin-init', says: { tgkill: 'ok', forge: 'EPERM' } },
    },
    {
      name: 'signal-all',
      tries: 'kills every process that it may signal',
      learned: { by: 'filter', says: { kill: 'ENOSYS' }, denials: ['1 x kill(pid -1, signal 9) ENOSYS'] },
      precise: { by: 'porin-init', says: { kill: 'ESRCH' } },
      everything: { by: 'porin-init', says: { kill: 'ESRCH' } },
    },
    {
      name: 'process-controls',
      tries: 'lets others trace it, and takes privileges back',
      learned: {
        by: 'filter',
        says: {
          PR_SET_DUMPABLE: 'ENOSYS',
          PR_SET_PTRACER: 'ENOSYS',
          PR_SET_CHILD_SUBREAPER: 'ENOSYS',
          PR_CAP_AMBIENT: 'ENOSYS',
          PR_SET_SECUREBITS: 'ENOSYS',
          PR_SET_NO_NEW_PRIVS: 'ENOSYS',
        },
        denials: [
          '1 x prctl(PR_CAP_AMBIENT) ENOSYS',
          '1 x prctl(PR_SET_CHILD_SUBREAPER) ENOSYS',
          '1 x prctl(PR_SET_DUMPABLE) ENOSYS',
          '1 x prctl(PR_SET_NO_NEW_PRIVS) ENOSYS',
          '1 x prctl(PR_SET_PTRACER) ENOSYS',
          '1 x prctl(PR_SET_SECUREBITS) ENOSYS',
        ],
      },
      precise: {
        by: 'filter',
        says: {
          PR_SET_DUMPABLE: 'ENOSYS',
          PR_SET_PTRACER: 'ENOSYS',
          PR_SET_CHILD_SUBREAPER: 'ENOSYS',
          PR_CAP_AMBIENT: 'ENOSYS',
          PR_SET_SECUREBITS: 'ENOSYS',
          PR_SET_NO_NEW_PRIVS: 'ENOSYS',
        },
        denials: [
          '1 x prctl(PR_CAP_AMBIENT) ENOSYS',
          '1 x prctl(PR_SET_CHILD_SUBREAPER) ENOSYS',
          '1 x prctl(PR_SET_DUMPABLE) ENOSYS',
          '1 x prctl(PR_SET_NO_NEW_PRIVS) ENOSYS',
          '1 x prctl(PR_SET_PTRACER) ENOSYS',
          '1 x prctl(PR_SET_SECUREBITS) ENOSYS',
        ],
      },
      everything: {
        by: 'container',
        says: {
          PR_SET_DUMPABLE: 'ok',
          PR_SET_PTRACER: 'ok|EINVAL',
          PR_SET_CHILD_SUBREAPER: 'ok',
          PR_CAP_AMBIENT: 'EPERM',
          PR_SET_SECUREBITS: 'EPERM',
          PR_SET_NO_NEW_PRIVS: 'EINVAL',
        },
      },
    },
  ],
};
