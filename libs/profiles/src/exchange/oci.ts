/** A profile as the seccomp JSON of the OCI runtime specification (config-linux.md, "Seccomp"), which Docker takes too. */
import { DEFAULT_CEILING } from '../filter/ceiling.js';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { argumentTest } from '../filter/argument-test.js';
import { type AnyOf } from '../filter/assemble.js';
import { refusalErrno } from '../filter/eperm.js';
import { ALWAYS_ALLOWED, guardOf } from '../filter/guards.js';
import { requireKnown, syscallNames, syscallNumber } from '../kernel/syscalls.js';
import { type Alternative, byName, isUnconditional } from '../model/argument-rules.js';
import { allowedNames } from '../model/parse-profile.js';
import { type Architecture, type Profile } from '../model/profile.js';
import { argumentAlternatives, type OciAlternatives, type OciArgument } from './oci-arguments.js';

export interface OciSeccomp {
  readonly defaultAction: 'SCMP_ACT_ERRNO';
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly OciSyscall[];
}

export interface OciSyscall {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly errnoRet?: number;
  /** All must hold. */
  readonly args?: readonly OciArgument[];
  /** For people; engines pass over it. */
  readonly comment?: string;
}

export interface OciOptions {
  readonly ceiling?: readonly string[];
  /** What the runtime itself calls between loading the filter and the payload's start; see RUNTIME_START_CALLS. */
  readonly runtimeCalls?: readonly string[];
}

const ERRNO = { EPERM: 1, ENOSYS: 38 } as const;
const ARCHITECTURE: Readonly<Record<Architecture, string>> = {
  x86_64: 'SCMP_ARCH_X86_64',
  aarch64: 'SCMP_ARCH_AARCH64',
};

/**
 * Without porin-init the runtime loads the filter and then still has to start the payload, under the filter: it closes
 * its descriptors, opens its start FIFO and executes, while the Go runtime's threads wake and switch.
 * Tried with runc 1.1.5 in Docker 20.10, no-new-privileges on, which makes the runtime load the filter last.
 */
export const RUNTIME_START_CALLS: readonly string[] = [
  'close',
  'epoll_ctl',
  'epoll_pwait',
  'execve',
  'fcntl',
  'fstat',
  'fstatfs',
  'futex',
  'getdents64',
  'getpid',
  'gettid',
  'madvise',
  'mmap',
  'munmap',
  'nanosleep',
  'newfstatat',
  'openat',
  'read',
  'rt_sigprocmask',
  'sched_yield',
  'sigaltstack',
  'tgkill',
  'write',
];

const NARROWED =
  'Porin: less is allowed here than the profile allows, because this format cannot say all of its conditions.';

/**
 * The same calls as `enforce` lets through: the profile within the ceiling and the engine's default, under the guards.
 * Differences that the format leaves no way to avoid: the runtime's own start calls are allowed, whatever their arguments;
 * calls of foreign architectures end as libseccomp ends them; a call with other arguments than it may be made with gets the
 * default errno; and conditions that the format cannot say are left out with what they allow, which a comment says.
 * @throws FilterError UNKNOWN_SYSCALLS, INVALID_CONDITION
 */
export function exportOci(profile: Profile, options: OciOptions = {}): OciSeccomp {
  const { architecture } = profile;
  const { ceiling = DEFAULT_CEILING, runtimeCalls = RUNTIME_START_CALLS } = options;
  requireKnown(architecture, allowedNames(profile), 'the profile');
  const forbidden = new Set(ceiling);
  const engineDefault = new Set(engineDefaultNames(architecture));
  const granted = [...byName(profile.rules)].filter(([name]) => engineDefault.has(name) && !forbidden.has(name));
  const plain = granted.filter(([name, rules]) => !guardOf(name) && isUnconditional(rules)).map(([name]) => name);
  const always = [...ALWAYS_ALLOWED, ...runtimeCalls].filter((name) => syscallNumber(architecture, name) !== undefined);
  const unconditional = [...new Set([...plain, ...always])].sort();
  const conditional = granted
    .filter(([name]) => !unconditional.includes(name))
    .map(([name, rules]) => ({ name, ...argumentAlternatives(conditionsOf(name, rules)) }))
    .filter(({ alternatives, narrowed }) => alternatives.length > 0 || narrowed);
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ERRNO.ENOSYS,
    architectures: [ARCHITECTURE[architecture]],
    syscalls: [
      { names: unconditional, action: 'SCMP_ACT_ALLOW' },
      ...conditional.flatMap(conditionalRules),
      ...refused(architecture, new Set([...unconditional, ...conditional.map(({ name }) => name)])),
    ],
  };
}

function conditionsOf(name: string, rules: readonly Alternative[]): readonly AnyOf[] {
  const guard = guardOf(name);
  return [...(guard ? [guard.anyOf] : []), rules].map((anyOf) =>
    anyOf.map((conditions) => conditions.map((condition) => argumentTest(name, condition))),
  );
}

function conditionalRules({ name, alternatives, narrowed }: OciAlternatives & { name: string }): readonly OciSyscall[] {
  const comment = narrowed ? { comment: NARROWED } : {};
  if (alternatives.length > 0) {
    return alternatives.map((args) => ({ names: [name], action: 'SCMP_ACT_ALLOW', args, ...comment }));
  }
  return [{ names: [name], action: 'SCMP_ACT_ERRNO', errnoRet: ERRNO[refusalErrno(name)], ...comment }];
}

/** Each with its errno written out: Docker 20.10 knows `errnoRet` and passes over `defaultErrnoRet`. */
function refused(architecture: Architecture, allowed: ReadonlySet<string>): readonly OciSyscall[] {
  const names = syscallNames(architecture).filter((name) => !allowed.has(name));
  return (['EPERM', 'ENOSYS'] as const).flatMap((errno) => {
    const ofErrno = names.filter((name) => refusalErrno(name) === errno);
    return ofErrno.length === 0 ? [] : [{ names: ofErrno, action: 'SCMP_ACT_ERRNO', errnoRet: ERRNO[errno] }];
  });
}
