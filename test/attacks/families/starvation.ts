/** Against porin-init's limits, scheduling and priority, which any process of its user may set. */
import { type Family } from '../attack.js';

export const STARVATION: Family = {
  name: 'to starve porin-init',
  attacks: [
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
          '1 x sched_setscheduler(pid 1, SCHED_IDLE) EPERM',
        ],
      },
      precise: {
        by: 'filter',
        says: { scheduler: 'EPERM', parameters: 'EPERM', attributes: 'EPERM', affinity: 'EPERM' },
        denials: [
          '1 x sched_setaffinity(pid 1) EPERM',
          '1 x sched_setattr(pid 1) EPERM',
          '1 x sched_setparam(pid 1) EPERM',
          '1 x sched_setscheduler(pid 1, SCHED_IDLE) EPERM',
        ],
      },
      everything: {
        by: 'guard',
        says: { scheduler: 'EPERM', parameters: 'EPERM', attributes: 'EPERM', affinity: 'EPERM' },
        denials: [
          '1 x sched_setaffinity(pid 1) EPERM',
          '1 x sched_setattr(pid 1) EPERM',
          '1 x sched_setparam(pid 1) EPERM',
          '1 x sched_setscheduler(pid 1, SCHED_IDLE) EPERM',
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
  ],
};
