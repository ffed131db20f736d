/** On the sandbox from within: filters and rulesets of its own, privileges taken back. */
import { type Family } from '../attack.js';

export const SANDBOX: Family = {
  name: 'on its own sandbox',
  attacks: [
    {
      name: 'second-listener',
      tries: 'answers its own calls through a second listener',
      learned: {
        by: 'filter',
        says: { listener: 'ENOSYS' },
        denials: ['1 x seccomp(SECCOMP_SET_MODE_FILTER, NEW_LISTENER) ENOSYS'],
      },
      precise: {
        by: 'filter',
        says: { listener: 'ENOSYS' },
        denials: ['1 x seccomp(SECCOMP_SET_MODE_FILTER, NEW_LISTENER) ENOSYS'],
      },
      everything: { by: 'container', says: { listener: 'EBUSY' } },
    },
    {
      name: 'widen-filter',
      tries: 'loads a filter that allows everything',
      learned: {
        by: 'filter',
        says: { filter: 'ENOSYS', bpf: 'EPERM' },
        denials: ['1 x bpf(BPF_MAP_CREATE) EPERM', '1 x seccomp(SECCOMP_SET_MODE_FILTER, 0) ENOSYS'],
      },
      precise: {
        by: 'filter',
        says: { filter: 'ENOSYS', bpf: 'EPERM' },
        denials: ['1 x bpf(BPF_MAP_CREATE) EPERM', '1 x seccomp(SECCOMP_SET_MODE_FILTER, 0) ENOSYS'],
      },
      everything: { by: 'ceiling', says: { filter: 'ok', bpf: 'EPERM' }, denials: ['1 x bpf(BPF_MAP_CREATE) EPERM'] },
    },
    {
      name: 'widen-landlock',
      tries: 'restricts itself to a ruleset that allows everything',
      learned: { by: 'filter', says: { create: 'ENOSYS' }, denials: ['1 x landlock_create_ruleset() ENOSYS'] },
      precise: { by: 'filter', says: { create: 'ENOSYS' }, denials: ['1 x landlock_create_ruleset() ENOSYS'] },
      everything: { by: 'nothing', says: { create: 'ok', add: 'ok', 'add-root': 'ok', restrict: 'ok', passwd: 'ok' } },
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
