/** Rules on arguments that every filter holds, whatever the profile and the enforcement, and calls no filter may refuse. */
import { type Condition, type Hex } from '../model/condition.js';

export interface Guard {
  readonly names: readonly string[];
  /** The call may be made when every condition of at least one alternative holds. */
  readonly anyOf: readonly (readonly Condition[])[];
  readonly errno: 'EPERM' | 'ENOSYS';
  readonly reason: string;
}

/** porin-init in the container's own PID namespace; its only thread. */
const SUPERVISOR_PID = '0x1';
const PRIO_PROCESS = '0x0';
const IOPRIO_WHO_PROCESS = '0x1';
const AF_VSOCK = '0x28';
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET (linux/sched.h); NEWTIME is no flag of clone. */
const CLONE_NAMESPACES = '0x7e020000';
/** PER_LINUX, PER_LINUX32, UNAME26 alone and with PER_LINUX32, and the query. */
const PERSONALITIES: readonly Hex[] = ['0x0', '0x8', '0x20000', '0x20008', '0xffffffff'];

const isNot = (argument: number, value: Hex): Condition => ({ argument, op: 'SCMP_CMP_NE', value });
const is = (argument: number, value: Hex): Condition => ({ argument, op: 'SCMP_CMP_EQ', value });

/**
 * The supervisor shares the payload's user, so these calls would let a payload kill it (RLIMIT_CPU), hang it
 * (RLIMIT_NOFILE) or starve it. Every other process in the PID namespace is the payload itself, and glibc passes thread
 * ids (pthread_setaffinity_np, OMP_PROC_BIND), so exactly the supervisor's pid is refused, and with it every scope that
 * could contain the supervisor without naming it: process groups and users.
 */
export const GUARDS: readonly Guard[] = [
  {
    names: ['prlimit64', 'sched_setaffinity', 'sched_setattr', 'sched_setparam', 'sched_setscheduler'],
    anyOf: [[isNot(0, SUPERVISOR_PID)]],
    errno: 'EPERM',
    reason: 'never the supervisor',
  },
  {
    // By thread group and by thread: porin-init has one of each.
    names: ['tgkill', 'tkill'],
    anyOf: [[isNot(0, SUPERVISOR_PID)]],
    errno: 'EPERM',
    reason: 'never the supervisor',
  },
  {
    names: ['setpriority'],
    anyOf: [[is(0, PRIO_PROCESS), isNot(1, SUPERVISOR_PID)]],
    errno: 'EPERM',
    reason: 'single processes only, never the supervisor',
  },
  {
    names: ['ioprio_set'],
    anyOf: [[is(0, IOPRIO_WHO_PROCESS), isNot(1, SUPERVISOR_PID)]],
    errno: 'EPERM',
    reason: 'single processes only, never the supervisor',
  },
  {
    names: ['clone'],
    anyOf: [[{ argument: 0, op: 'SCMP_CMP_MASKED_EQ', mask: CLONE_NAMESPACES, value: '0x0' }]],
    errno: 'EPERM',
    reason: "no new namespaces, as in Docker's default",
  },
  {
    names: ['clone3'],
    anyOf: [],
    errno: 'ENOSYS',
    reason:
      "its flags lie in memory, where no filter can read them; libc falls back to clone, as under Docker's default",
  },
  {
    names: ['personality'],
    anyOf: PERSONALITIES.map((value) => [is(0, value)]),
    errno: 'EPERM',
    reason: "no personality that weakens address randomisation, as in Docker's default",
  },
  {
    names: ['socket'],
    anyOf: [[isNot(0, AF_VSOCK)]],
    errno: 'EPERM',
    reason: 'no network namespace holds AF_VSOCK, a way to the hypervisor; newer Docker defaults refuse it too',
  },
];

/**
 * Allowed in every filter, above any ceiling. Programs end, return from signals and resume calls with the first four,
 * which a recording often lacks; the last three are also made from the vsyscall page, where they have no sys_enter.
 */
export const ALWAYS_ALLOWED: readonly string[] = [
  'exit',
  'exit_group',
  'rt_sigreturn',
  'restart_syscall',
  'time',
  'gettimeofday',
  'getcpu',
];

const BY_NAME = new Map(GUARDS.flatMap((guard) => guard.names.map((name) => [name, guard] as const)));

export function guardOf(name: string): Guard | undefined {
  return BY_NAME.get(name);
}
