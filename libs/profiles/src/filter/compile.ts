/** Compiles what a run may do, the profile within the ceiling and the engine's default, into the two programs of a run. */
import { type Enforcement } from '../model/level.js';
import { type Alternative, byName } from '../model/argument-rules.js';
import { type Architecture, type Rule } from '../model/profile.js';
import { argumentTest } from './argument-test.js';
import { type AnyOf, assemble, sizeOf, type Verdict } from './assemble.js';
import {
  ENOSYS,
  EPERM,
  MAX_INSTRUCTIONS,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_USER_NOTIF,
} from './bpf.js';
import { refusalErrno } from './eperm.js';
import { FilterError } from './filter-error.js';
import { ALWAYS_ALLOWED, guardOf } from './guards.js';
import { type CompiledFilter, type Instruction } from './instruction.js';
import { requireKnown, requireKnownAnywhere, syscallName, syscallNames, syscallNumber } from '../kernel/syscalls.js';
import { validateProgram } from './validate.js';

export interface FilterOptions {
  readonly enforcement: Enforcement;
  readonly architecture: Architecture;
  /** The profile's; null, and not looked at otherwise, with enforcement `none`. */
  readonly rules: readonly Rule[] | null;
  /** Names that are refused at every enforcement; see DEFAULT_CEILING. */
  readonly ceiling: readonly string[];
  /**
   * Names beyond which `audit`, `enforce` and `notifyAll` grant nothing; see engineDefaultNames. Otherwise, with `none`, the
   * engine itself holds them.
   */
  readonly engineDefault: readonly string[];
  /** For a trace by notification: every call reaches porin-init, whose answer is the whole decision. Not with `audit`. */
  readonly notifyAll?: boolean;
}

/** A name in a profile that its filter does not allow all the same. */
export interface WithheldName {
  readonly name: string;
  readonly by: 'ceiling' | 'engine-default' | 'guard';
}

/** What a call may be made with, before the guards: alternatives, [[]] for any arguments, [] for none. */
type Grant = (name: string) => readonly Alternative[];
const EVERYTHING: readonly Alternative[] = [[]];
const NOTHING: readonly Alternative[] = [];

const REFUSED_UNKNOWN = SECCOMP_RET_ERRNO | ENOSYS;

/**
 * - `enforce`: the profile's calls are made, every other is refused;
 * - `audit`: the profile's calls are made, others are continued and reported within the ceiling and the engine's default;
 * - `none`: everything but the ceiling is made; with `notifyAll` within the engine's default, which the engine then leaves out.
 * At each, the guards hold, ALWAYS_ALLOWED is made, and foreign architectures, x32 and unknown numbers are refused. A call
 * of the profile with other arguments than its rules name is a call outside the profile.
 * @throws FilterError UNKNOWN_SYSCALLS, PROFILE_MISSING, INVALID_CONDITION, TOO_LARGE, AUDIT_NOTIFIED
 */
export function compileFilter(options: FilterOptions): CompiledFilter {
  const { enforcement, architecture, notifyAll = false } = options;
  if (notifyAll && enforcement === 'audit') {
    throw new FilterError('AUDIT_NOTIFIED', 'under "audit" no filter can have every call notified');
  }
  const made = grantOfFilter(options);
  const limit = enforcement === 'audit' ? limitOf(options) : () => false;
  const continued: Grant = (name) => (limit(name) ? EVERYTHING : NOTHING);
  const refuse = (name: string): number => SECCOMP_RET_ERRNO | (refusalErrno(name) === 'EPERM' ? EPERM : ENOSYS);
  return {
    filter: notifyAll
      ? notifyAlmostAll(architecture)
      : program(architecture, made, () => SECCOMP_RET_USER_NOTIF, SECCOMP_RET_USER_NOTIF),
    answer: program(architecture, notifyAll ? made : continued, refuse, REFUSED_UNKNOWN),
  };
}

/**
 * What a reviewer must know before approving: names of the profile that stay refused, and why.
 * @throws FilterError UNKNOWN_SYSCALLS
 */
export function withheldNames(options: Omit<FilterOptions, 'enforcement' | 'notifyAll'>): readonly WithheldName[] {
  const { architecture, ceiling, engineDefault } = options;
  const names = [...byName(options.rules ?? []).keys()];
  requireKnown(architecture, names, 'the profile');
  return names.flatMap((name): WithheldName[] => {
    if (ALWAYS_ALLOWED.includes(name)) return [];
    if (ceiling.includes(name)) return [{ name, by: 'ceiling' }];
    if (guardOf(name)?.anyOf.length === 0) return [{ name, by: 'guard' }];
    if (!engineDefault.includes(name)) return [{ name, by: 'engine-default' }];
    return [];
  });
}

function grantOfFilter(options: FilterOptions): Grant {
  const { enforcement, architecture, rules, ceiling, notifyAll = false } = options;
  requireKnownAnywhere(ceiling, 'the ceiling');
  if (enforcement === 'none') {
    const forbidden = new Set(ceiling);
    const made = notifyAll ? limitOf(options) : (name: string) => !forbidden.has(name);
    return (name) => (made(name) ? EVERYTHING : NOTHING);
  }
  if (rules === null) throw new FilterError('PROFILE_MISSING', `enforcement "${enforcement}" needs a profile`);
  const profile = byName(rules);
  requireKnown(architecture, [...profile.keys()], 'the profile');
  const limit = limitOf(options);
  return (name) => (limit(name) ? (profile.get(name) ?? NOTHING) : NOTHING);
}

/** What may be made at all: the engine's default within the ceiling. */
function limitOf({ ceiling, engineDefault }: FilterOptions): (name: string) => boolean {
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
    if (number !== undefined) verdicts.set(number, verdictOf(name, grant(name), refuse(name)));
  }
  const instructions = assemble(architecture, verdicts, otherwise);
  if (instructions.length > MAX_INSTRUCTIONS) throw tooLarge(architecture, instructions.length, verdicts);
  validateProgram(instructions);
  return instructions;
}

/** The profile and the guard must both hold, each in one of its alternatives. */
function verdictOf(name: string, granted: readonly Alternative[], refused: number): Verdict {
  if (ALWAYS_ALLOWED.includes(name)) return SECCOMP_RET_ALLOW;
  const allOf = [guardOf(name)?.anyOf ?? EVERYTHING, granted].map((anyOf): AnyOf =>
    anyOf.map((conditions) => conditions.map((condition) => argumentTest(name, condition))),
  );
  return { allOf, pass: SECCOMP_RET_ALLOW, fail: refused };
}

/**
 * Without rt_sigreturn: a signal that comes while its notification waits would make it return EINTR, into code that does
 * not expect it to return at all.
 */
function notifyAlmostAll(architecture: Architecture): readonly Instruction[] {
  const number = syscallNumber(architecture, 'rt_sigreturn');
  const made = new Map<number, Verdict>(number === undefined ? [] : [[number, SECCOMP_RET_ALLOW]]);
  return assemble(architecture, made, SECCOMP_RET_USER_NOTIF);
}

function tooLarge(architecture: Architecture, length: number, verdicts: ReadonlyMap<number, Verdict>): FilterError {
  const sizes = [...verdicts].map(([number, verdict]) => ({ number, size: sizeOf(verdict) }));
  const { number, size } = sizes.reduce((largest, other) => (other.size > largest.size ? other : largest));
  const name = syscallName(architecture, number) ?? String(number);
  const most = `the conditions on "${name}" take most of them, ${size}`;
  const problem = `the filter has ${length} instructions and the kernel takes ${MAX_INSTRUCTIONS}: ${most}`;
  return new FilterError('TOO_LARGE', problem, [name]);
}
