/** Compiles what a run may do, the profile within the ceiling and the engine's default, into the two programs of a run. */
import { type Enforcement } from '../model/level.js';
import { type Architecture } from '../model/profile.js';
import { assemble, type Verdict } from './assemble.js';
import { ENOSYS, EPERM, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_USER_NOTIF } from './bpf.js';
import { refusalErrno } from './eperm.js';
import { FilterError } from './filter-error.js';
import { ALWAYS_ALLOWED, guardOf } from './guards.js';
import { type CompiledFilter, type Instruction } from './instruction.js';
import { requireKnown, requireKnownAnywhere, syscallNames, syscallNumber } from './syscalls.js';
import { validateProgram } from './validate.js';

export interface FilterOptions {
  readonly enforcement: Enforcement;
  readonly architecture: Architecture;
  /** The profile's names; null, and not looked at otherwise, with enforcement `none`. */
  readonly allowed: readonly string[] | null;
  /** Names that are refused at every enforcement; see DEFAULT_CEILING. */
  readonly ceiling: readonly string[];
  /** Names beyond which `audit` and `enforce` grant nothing; see engineDefaultNames. With `none` the engine holds them. */
  readonly engineDefault: readonly string[];
}

/** A name in a profile that its filter does not allow all the same. */
export interface WithheldName {
  readonly name: string;
  readonly by: 'ceiling' | 'engine-default' | 'guard';
}

type Grant = (name: string) => boolean;
const REFUSED_UNKNOWN = SECCOMP_RET_ERRNO | ENOSYS;

/**
 * - `enforce`: the profile's calls are made, every other is refused;
 * - `audit`: the profile's calls are made, others are continued and reported within the ceiling and the engine's default;
 * - `none`: everything but the ceiling is made.
 * At each, the guards hold, ALWAYS_ALLOWED is made, and foreign architectures, x32 and unknown numbers are refused.
 * @throws FilterError UNKNOWN_SYSCALLS, PROFILE_MISSING
 */
export function compileFilter(options: FilterOptions): CompiledFilter {
  const { enforcement, architecture } = options;
  const made = grantOfFilter(options);
  const continued: Grant = enforcement === 'audit' ? limitOf(options) : () => false;
  const refuse = (name: string): number => SECCOMP_RET_ERRNO | (refusalErrno(name) === 'EPERM' ? EPERM : ENOSYS);
  return {
    filter: program(architecture, made, () => SECCOMP_RET_USER_NOTIF, SECCOMP_RET_USER_NOTIF),
    answer: program(architecture, continued, refuse, REFUSED_UNKNOWN),
  };
}

/**
 * What a reviewer must know before approving: names of the profile that stay refused, and why.
 * @throws FilterError UNKNOWN_SYSCALLS
 */
export function withheldNames(options: Omit<FilterOptions, 'enforcement'>): readonly WithheldName[] {
  const { architecture, allowed, ceiling, engineDefault } = options;
  requireKnown(architecture, allowed ?? [], 'the profile');
  return (allowed ?? []).flatMap((name): WithheldName[] => {
    if (ALWAYS_ALLOWED.includes(name)) return [];
    if (ceiling.includes(name)) return [{ name, by: 'ceiling' }];
    if (guardOf(name)?.anyOf.length === 0) return [{ name, by: 'guard' }];
    if (!engineDefault.includes(name)) return [{ name, by: 'engine-default' }];
    return [];
  });
}

function grantOfFilter(options: FilterOptions): Grant {
  const { enforcement, architecture, allowed, ceiling } = options;
  requireKnownAnywhere(ceiling, 'the ceiling');
  if (enforcement === 'none') {
    const forbidden = new Set(ceiling);
    return (name) => !forbidden.has(name);
  }
  if (allowed === null) throw new FilterError('PROFILE_MISSING', `enforcement "${enforcement}" needs a profile`);
  requireKnown(architecture, allowed, 'the profile');
  const profile = new Set(allowed);
  const limit = limitOf(options);
  return (name) => profile.has(name) && limit(name);
}

/** What may be made at all: the engine's default within the ceiling. */
function limitOf({ ceiling, engineDefault }: FilterOptions): Grant {
  requireKnownAnywhere(engineDefault, "the engine's default");
  const forbidden = new Set(ceiling);
  const granted = new Set(engineDefault);
  return (name) => granted.has(name) && !forbidden.has(name);
}

function program(
  architecture: Architecture,
  grant: Grant,
  refuse: (name: string) => number,
  otherwise: number,
): readonly Instruction[] {
  const verdicts = new Map<number, Verdict>();
  for (const name of syscallNames(architecture)) {
    const number = syscallNumber(architecture, name);
    if (number !== undefined) verdicts.set(number, verdictOf(name, grant, refuse));
  }
  const instructions = assemble(architecture, verdicts, otherwise);
  validateProgram(instructions);
  return instructions;
}

function verdictOf(name: string, grant: Grant, refuse: (name: string) => number): Verdict {
  if (ALWAYS_ALLOWED.includes(name)) return SECCOMP_RET_ALLOW;
  if (!grant(name)) return refuse(name);
  const guard = guardOf(name);
  if (!guard) return SECCOMP_RET_ALLOW;
  return { anyOf: guard.anyOf, pass: SECCOMP_RET_ALLOW, fail: refuse(name) };
}
