/** A profile as the seccomp JSON of the OCI runtime specification (config-linux.md, "Seccomp"), which Docker takes too. */
import { DEFAULT_CEILING } from '../filter/ceiling.js';
import { engineDefaultNames, isQuietlyRefusable } from '../kernel/engine-default.js';
import { argumentTest } from '../filter/argument-test.js';
import { type AnyOf } from '../filter/assemble.js';
import { refusalErrno } from '../filter/eperm.js';
import { ALWAYS_ALLOWED, guardOf } from '../filter/guards.js';
import { requireKnown, syscallNames, syscallNumber } from '../kernel/syscalls.js';
import { type Alternative, byName, isUnconditional, refusalsByName } from '../model/argument-rules.js';
import { type Architecture, type Profile } from '../model/profile.js';
import { conditionalRules } from './conditional-rules.js';
import { aboutForeignCalls, REPORTED, RUNTIME_ADDED, RUNTIME_WIDENED } from './oci-comments.js';
import { ERRNO } from '../filter/bpf.js';
import { OCI_ARCHITECTURE, type OciSeccomp, type OciSyscall } from './oci-format.js';
import { RUNTIME_START_CALLS } from './runtime-calls.js';

export interface OciOptions {
  readonly ceiling?: readonly string[];
  /** Beyond which nothing is granted; see grantedNames. */
  readonly engineDefault?: readonly string[];
  /**
   * Adds RUNTIME_START_CALLS, whatever their arguments. Without them a filter is exactly as wide as the profile is
   * enforced, and fits a loader that the payload was started before; `docker run` cannot start a program under it.
   */
  readonly runtimeCalls?: boolean;
}

/**
 * Allows and refuses what `enforce` does, with the same errno: the profile within the ceiling and the engine's default,
 * under the guards. Uses that the format cannot express are refused, and a comment says so: some conditions, the errno of some calls
 * with other arguments, and calls of foreign architectures, whose thread libseccomp ends.
 * @throws FilterError UNKNOWN_SYSCALLS, INVALID_CONDITION
 */
export function exportOci(profile: Profile, options: OciOptions = {}): OciSeccomp {
  const { architecture } = profile;
  const { ceiling = DEFAULT_CEILING, engineDefault = engineDefaultNames(architecture), runtimeCalls = false } = options;
  const [rules, refusals] = [byName(profile.rules), refusalsByName(profile.rules)];
  requireKnown(architecture, [...rules.keys(), ...refusals.keys()], 'the profile');
  const quiet = new Map([...refusals].filter(([name]) => isQuietlyRefusable(name)));
  const granted = [...rules].filter(([name]) => engineDefault.includes(name) && !ceiling.includes(name));
  const always = ALWAYS_ALLOWED.filter((name) => syscallNumber(architecture, name) !== undefined);
  const free = granted.filter(([name, alternatives]) => !guardOf(name) && isUnconditional(alternatives));
  const plain = new Set([...always, ...free.map(([name]) => name)]);
  const runtime = runtimeCalls ? runtimeRules(architecture, plain, new Set(granted.map(([name]) => name))) : [];
  const unconditional = new Set([...plain, ...runtime.flatMap(({ names }) => names)]);
  const conditional = conditionalRules(
    granted
      .filter(([name]) => !unconditional.has(name))
      .map(([name, alternatives]) => ({ name, allOf: conditionsOf(name, alternatives) })),
  );
  const settled = new Set([...unconditional, ...conditional.flatMap(({ names }) => names)]);
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ERRNO.ENOSYS,
    architectures: [OCI_ARCHITECTURE[architecture]],
    syscalls: [
      { names: [...plain].sort(), action: 'SCMP_ACT_ALLOW', comment: aboutForeignCalls(architecture) },
      ...runtime,
      ...conditional,
      ...refusalRules(architecture, settled, quiet),
    ],
  };
}

/** Each call in one rule: runtimes do not agree on which of two rules of one call holds. */
function runtimeRules(
  architecture: Architecture,
  plain: ReadonlySet<string>,
  granted: ReadonlySet<string>,
): readonly OciSyscall[] {
  const names = RUNTIME_START_CALLS.filter(
    (name) => syscallNumber(architecture, name) !== undefined && !plain.has(name),
  );
  const rule = (of: readonly string[], comment: string): OciSyscall[] =>
    of.length === 0 ? [] : [{ names: of, action: 'SCMP_ACT_ALLOW', comment }];
  return [
    ...rule(
      names.filter((name) => !granted.has(name)),
      RUNTIME_ADDED,
    ),
    ...rule(
      names.filter((name) => granted.has(name)),
      RUNTIME_WIDENED,
    ),
  ];
}

function conditionsOf(name: string, rules: readonly Alternative[]): readonly AnyOf[] {
  const guard = guardOf(name);
  return [...(guard ? [guard.anyOf] : []), rules].map((anyOf) =>
    anyOf.map((conditions) => conditions.map((condition) => argumentTest(name, condition))),
  );
}

/**
 * Of every call that no other rule is about, the quiet ones apart. Each has its errno written out: Docker 20.10 knows
 * `errnoRet` and passes over `defaultErrnoRet`.
 */
function refusalRules(
  architecture: Architecture,
  settled: ReadonlySet<string>,
  quiet: ReadonlyMap<string, number>,
): readonly OciSyscall[] {
  const names = syscallNames(architecture).filter((name) => !settled.has(name));
  const errnos = [...new Set(quiet.values())].sort((a, b) => a - b);
  const rule = (of: readonly string[], errnoRet: number, more: { readonly comment?: string } = {}): OciSyscall[] =>
    of.length === 0 ? [] : [{ names: of, action: 'SCMP_ACT_ERRNO', errnoRet, ...more }];
  return [
    ...errnos.flatMap((errno) =>
      rule(
        names.filter((name) => quiet.get(name) === errno),
        errno,
      ),
    ),
    ...(['EPERM', 'ENOSYS'] as const).flatMap((errno) =>
      rule(
        names.filter((name) => !quiet.has(name) && refusalErrno(name) === errno),
        ERRNO[errno],
        { comment: REPORTED },
      ),
    ),
  ];
}
