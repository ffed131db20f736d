/** Kernel interfaces that exploits start from, and that no analysis program needs. */
import { type Family } from '../attack.js';

export const KERNEL: Family = {
  name: 'into the kernel',
  attacks: [
    {
      name: 'bpf',
      tries: 'makes a BPF map',
      learned: { by: 'filter', says: { bpf: 'EPERM' }, denials: ['1 x bpf(BPF_MAP_CREATE) EPERM'] },
      everything: { by: 'ceiling', says: { bpf: 'EPERM' }, denials: ['1 x bpf(BPF_MAP_CREATE) EPERM'] },
    },
    {
      name: 'perf',
      tries: 'opens a hardware counter',
      learned: { by: 'filter', says: { perf_event_open: 'EPERM' }, denials: ['1 x perf_event_open() EPERM'] },
      everything: { by: 'ceiling', says: { perf_event_open: 'EPERM' }, denials: ['1 x perf_event_open() EPERM'] },
    },
    {
      name: 'userfaultfd',
      tries: 'handles page faults, to stop the kernel in the middle',
      learned: { by: 'filter', says: { userfaultfd: 'EPERM' }, denials: ['1 x userfaultfd() EPERM'] },
      everything: { by: 'ceiling', says: { userfaultfd: 'EPERM' }, denials: ['1 x userfaultfd() EPERM'] },
    },
    {
      name: 'io-uring',
      tries: 'makes calls that are no calls',
      learned: {
        by: 'filter',
        says: { setup: 'ENOSYS', enter: 'ENOSYS', register: 'ENOSYS' },
        denials: ['1 x io_uring_enter() ENOSYS', '1 x io_uring_register() ENOSYS', '1 x io_uring_setup() ENOSYS'],
      },
      everything: {
        by: 'ceiling',
        says: { setup: 'ENOSYS', enter: 'ENOSYS', register: 'ENOSYS' },
        denials: ['1 x io_uring_enter() ENOSYS', '1 x io_uring_register() ENOSYS', '1 x io_uring_setup() ENOSYS'],
      },
    },
    {
      name: 'keyring',
      tries: "uses the kernel's key rings",
      learned: {
        by: 'filter',
        says: { keyctl: 'EPERM', add_key: 'EPERM', request_key: 'EPERM' },
        denials: ['1 x add_key() EPERM', '1 x keyctl() EPERM', '1 x request_key() EPERM'],
      },
      everything: {
        by: 'ceiling',
        says: { keyctl: 'EPERM', add_key: 'EPERM', request_key: 'EPERM' },
        denials: ['1 x add_key() EPERM', '1 x keyctl() EPERM', '1 x request_key() EPERM'],
      },
    },
    {
      name: 'modules',
      tries: 'loads and unloads kernel modules',
      learned: {
        by: 'filter',
        says: { init_module: 'EPERM', finit_module: 'EPERM', delete_module: 'EPERM' },
        denials: ['1 x delete_module() EPERM', '1 x finit_module() EPERM', '1 x init_module() EPERM'],
      },
      everything: {
        by: 'ceiling',
        says: { init_module: 'EPERM', finit_module: 'EPERM', delete_module: 'EPERM' },
        denials: ['1 x delete_module() EPERM', '1 x finit_module() EPERM', '1 x init_module() EPERM'],
      },
    },
    {
      name: 'new-kernel',
      tries: 'replaces the kernel, and ends it',
      learned: {
        by: 'filter',
        says: { kexec_load: 'EPERM', reboot: 'EPERM' },
        denials: ['1 x kexec_load() EPERM', '1 x reboot() EPERM'],
      },
      everything: {
        by: 'ceiling',
        says: { kexec_load: 'EPERM', reboot: 'EPERM' },
        denials: ['1 x kexec_load() EPERM', '1 x reboot() EPERM'],
      },
    },
    {
      name: 'node-wide',
      tries: "sets the node's clock, name, swap, accounting; reads its log",
      learned: {
        by: 'filter',
        says: {
          syslog: 'EPERM',
          settimeofday: 'EPERM',
          clock_settime: 'EPERM',
          adjtimex: 'EPERM',
          sethostname: 'EPERM',
          swapoff: 'EPERM',
          acct: 'EPERM',
          quotactl: 'EPERM',
          vhangup: 'EPERM',
          fanotify_init: 'ENOSYS',
        },
        denials: [
          '1 x acct() EPERM',
          '1 x adjtimex() EPERM',
          '1 x clock_settime() EPERM',
          '1 x fanotify_init() ENOSYS',
          '1 x quotactl() EPERM',
          '1 x sethostname() EPERM',
          '1 x settimeofday() EPERM',
          '1 x swapoff() EPERM',
          '1 x syslog() EPERM',
          '1 x vhangup() EPERM',
        ],
      },
      everything: {
        by: 'ceiling',
        says: {
          syslog: 'EPERM',
          settimeofday: 'EPERM',
          clock_settime: 'EPERM',
          adjtimex: 'EPERM',
          sethostname: 'EPERM',
          swapoff: 'EPERM',
          acct: 'EPERM',
          quotactl: 'EPERM',
          vhangup: 'EPERM',
          fanotify_init: 'ENOSYS',
        },
        denials: [
          '1 x acct() EPERM',
          '1 x clock_settime() EPERM',
          '1 x fanotify_init() ENOSYS',
          '1 x quotactl() EPERM',
          '1 x sethostname() EPERM',
          '1 x settimeofday() EPERM',
          '1 x swapoff() EPERM',
          '1 x syslog() EPERM',
          '1 x vhangup() EPERM',
        ],
      },
    },
    {
      name: 'second-listener',
      tries: 'answers its own calls through a second listener',
      learned: {
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
        denials: ['1 x bpf(BPF_MAP_CREATE) EPERM', '1 x seccomp(SECCOMP_SET_MODE_FILTER, 0x0) ENOSYS'],
      },
      everything: { by: 'ceiling', says: { filter: 'ok', bpf: 'EPERM' }, denials: ['1 x bpf(BPF_MAP_CREATE) EPERM'] },
    },
    {
      name: 'widen-landlock',
      tries: 'restricts itself to a ruleset that allows everything',
      learned: { by: 'filter', says: { create: 'ENOSYS' }, denials: ['1 x landlock_create_ruleset() ENOSYS'] },
      everything: { by: 'nothing', says: { create: 'ok', add: 'ok', 'add-root': 'ok', restrict: 'ok', passwd: 'ok' } },
    },
    {
      name: 'personality',
      tries: 'switches address randomisation off',
      learned: {
        by: 'engine',
        says: { 'no-randomize': 'EPERM', 'read-implies-exec': 'EPERM', 'garbage-above': 'EPERM' },
      },
      everything: {
        by: 'engine',
        says: { 'no-randomize': 'EPERM', 'read-implies-exec': 'EPERM', 'garbage-above': 'EPERM' },
      },
    },
    {
      name: 'pipe-pages',
      tries: "puts a file's pages into a pipe by reference",
      learned: {
        by: 'filter',
        says: { pipe2: 'ENOSYS', vmsplice: 'ENOSYS', splice: 'ENOSYS' },
        denials: ['1 x pipe2() ENOSYS', '1 x splice() ENOSYS', '1 x vmsplice() ENOSYS'],
      },
      everything: { by: 'nothing', says: { pipe2: 'ok', vmsplice: 'ok', splice: 'ok' } },
    },
  ],
};
