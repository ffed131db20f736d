/** Compiles what a run may do, the profile within the ceiling and the engine's default, into the two programs of a run. */
import { type Enforcement } from '../model/level.js';
import { type Alternative, byName, isUnconditional, refusalsByName } from '../model/argument-rules.js';
import { type Architecture, type Rule } from '../model/profile.js';
import { argumentTest } from './argument-test.js';
import { type AnyOf, assemble, sizeOf, type Verdict } from './assemble.js';
import {
  ENOSYS,
  ERRNO,
  MAX_INSTRUCTIONS,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_ERRNO,
  SECCOMP_RET_USER_NOTIF,
} from './bpf.js';
import { isQuietlyRefusable } from '../kernel/engine-default.js';
import { CALL_CLASSES, callClass, type CallClass } from '../kernel/families.js';
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
  /** Names beyond which nothing is granted at any enforcement; see engineDefaultNames. */
  readonly engineDefault: readonly string[];
  /** The class up to which calls outside the profile are made under `audit`. Default `authority`. */
  readonly auditOpen?: Exclude<CallClass, 'dangerous'>;
  /** For a trace by notification: every call that is not refused quietly reaches porin-init, whose answer decides. */
  readonly notifyAll?: boolean;
}

/** A name that a profile allows and its filter refuses. */
export interface WithheldName {
  readonly name: string;
  readonly by: 'ceiling' | 'engine-default' | 'guard';
}

/** What a call may be made with, before the guards: alternatives, [[]] for any arguments, [] for none. */
type Grant = (name: string) => readonly Alternative[];
const EVERYTHING: readonly Alternative[] = [[]];
const NOTHING: readonly Alternative[] = [];
const GRANT_NOTHING: Grant = () => NOTHING;

/**
 * Calls that a signal may not make return EINTR while they wait for porin-init, because their callers never look: the two
 * ends of a program, the return from a signal's handler, and close, after which the descriptor must be gone.
 */
const NEVER_HELD_UP: ReadonlySet<string> = new Set(['exit', 'exit_group', 'rt_sigreturn', 'close']);

const REFUSED_UNKNOWN = SECCOMP_RET_ERRNO | ENOSYS;

/**
 * - `enforce`: the profile's calls are made, every other is refused;
 * - `audit`: what is of no higher class than `auditOpen` is made as well, within the ceiling and the engine's default: the
 *   recording tells the rest;
 * - `none`: everything within the ceiling and the engine's default is made.
 * At each, the guards hold, ALWAYS_ALLOWED is made, and foreign architectures, x32 and unknown numbers are refused. A call
 * of the profile with other arguments than its rules name is a call outside the profile.
 *
 * A refusal is reported, unless it is one that the program was taught with (isQuietlyRefusable): under `none` and `audit`
 * all of those are quiet, under `enforce` those that the profile names.
 * @throws FilterError UNKNOWN_SYSCALLS, PROFILE_MISSING, INVALID_CONDITION, TOO_LARGE
 */
export function compileFilter(options: FilterOptions): CompiledFilter {
  const { architecture, notifyAll = false } = options;
  const made = grantOfFilter(options);
  const quiet = quietErrno(options);
  const refuse = (name: string): number => SECCOMP_RET_ERRNO | ERRNO[refusalErrno(name)];
  const notHeld: Grant = (name) => (NEVER_HELD_UP.has(name) && isUnconditional(made(name)) ? EVERYTHING : NOTHING);
  const inKernel = (name: string): number => {
    const errno = made(name).length === 0 || isGuardedOff(name) ? quiet(name) : undefined;
    return errno === undefined ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ERRNO | errno;
  };
  return {
    filter: program(architecture, notifyAll ? notHeld : made, inKernel, SECCOMP_RET_USER_NOTIF),
    answer: program(architecture, notifyAll ? made : GRANT_NOTHING, refuse, REFUSED_UNKNOWN),
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
    if (isGuardedOff(name)) return [{ name, by: 'guard' }];
    if (!engineDefault.includes(name)) return [{ name, by: 'engine-default' }];
    return [];
  });
}

function grantOfFilter(options: FilterOptions): Grant {
  const { enforcement, rules, auditOpen = 'authority' } = options;
  const limit = limitOf(options);
  if (enforcement === 'none') return (name) => (limit(name) ? EVERYTHING : NOTHING);
  if (rules === null) throw new FilterError('PROFILE_MISSING', `enforcement "${enforcement}" needs a profile`);
  const profile = byName(rules);
  requireKnown(options.architecture, [...profile.keys(), ...refusalsByName(rules).keys()], 'the profile');
  const open = CALL_CLASSES.slice(0, CALL_CLASSES.indexOf(auditOpen) + 1);
  const isOpen = (name: string): boolean => enforcement === 'audit' && open.includes(callClass(name));
  return (name) => (limit(name) ? (isOpen(name) ? EVERYTHING : (profile.get(name) ?? NOTHING)) : NOTHING);
}

/** The errno with which the kernel itself answers a call that is refused; undefined where porin-init does, and reports it. */
function quietErrno({ enforcement, rules }: FilterOptions): (name: string) => number | undefined {
  const named = refusalsByName(rules ?? []);
  return (name) => {
    if (!isQuietlyRefusable(name)) return undefined;
    return named.get(name) ?? (enforcement === 'enforce' ? undefined : ERRNO[refusalErrno(name)]);
  };
}

/** A guard leaves it no way to be made. */
function isGuardedOff(name: string): boolean {
  return guardOf(name)?.anyOf.length === 0;
}

/** What may be made at all: the engine's default within the ceiling, and what an administrator set beyond it. */
function limitOf({ ceiling, engineDefault }: FilterOptions): (name: string) => boolean {
  requireKnownAnywhere(engineDefault, "the engine's default");
  requireKnownAnywhere(ceiling, 'the ceiling');
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
    if (number === undefined) continue;
    const isAlways = ALWAYS_ALLOWED.includes(name) && grant !== GRANT_NOTHING;
    verdicts.set(number, isAlways ? SECCOMP_RET_ALLOW : verdictOf(name, grant(name), refuse(name)));
  }
  const instructions = assemble(architecture, verdicts, otherwise);
  if (instructions.length > MAX_INSTRUCTIONS) throw tooLarge(architecture, instructions.length, verdicts);
  validateProgram(instructions);
  return instructions;
}

/** The profile and the guard must both hold, each in one of its alternatives. */
function verdictOf(name: string, granted: readonly Alternative[], refused: number): Verdict {
  const allOf = [guardOf(name)?.anyOf ?? EVERYTHING, granted].map((anyOf): AnyOf =>
    anyOf.map((conditions) => conditions.map((condition) => argumentTest(name, condition))),
  );
  return { allOf, pass: SECCOMP_RET_ALLOW, fail: refused };
}

function tooLarge(architecture: Architecture, length: number, verdicts: ReadonlyMap<number, Verdict>): FilterError {
  const sizes = [...verdicts].map(([number, verdict]) => ({ number, size: sizeOf(verdict) }));
  const { number, size } = sizes.reduce((largest, other) => (other.size > largest.size ? other : largest));
  const name = syscallName(architecture, number) ?? String(number);
  const most = `the conditions on "${name}" take most of them, ${size}`;
  const problem = `the filter has ${length} instructions and the kernel takes ${MAX_INSTRUCTIONS}: ${most}`;
  return new FilterError('TOO_LARGE', problem, [name]);
}
