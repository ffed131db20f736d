/** What a reviewer should look at before approving a profile, with the reason for each. */
import { CEILING_REASONS, DEFAULT_CEILING } from '../filter/ceiling.js';
import { withheldNames, type WithheldName } from '../filter/compile.js';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { guardOf } from '../filter/guards.js';
import { lintFiles } from '../files/lint-files.js';
import { type Alternative, byName, isUnconditional } from '../model/argument-rules.js';
import { allowedNames } from '../model/parse-profile.js';
import { type Coverage, type Profile } from '../model/profile.js';
import { argumentReasons } from './lint-arguments.js';
import { RISKY_VALUES } from './risky-values.js';

export interface LintWarning {
  /** A call, or "file:" and the path of a file rule. */
  readonly name: string;
  /** `withheld`: in the profile, and refused all the same. `rare`: seen in one of several recordings only. */
  readonly kind: 'risky' | 'withheld' | 'rare';
  readonly reason: string;
}

/** Name -> what a payload can do with it. Analysis programs rarely need these; each is worth a question. */
export const RISKY_REASONS: Readonly<Record<string, string>> = {
  execve: 'starts other programs of the image, a shell among them',
  execveat: 'starts programs from an open file, also from one that has no name',
  memfd_create: 'makes files without a name, which can be executed without touching a disk',
  ptrace: 'takes control of other processes of the payload',
  process_vm_readv: 'reads the memory of other processes of the payload',
  process_vm_writev: 'writes the memory of other processes of the payload',
  process_madvise: 'acts on the memory of other processes of the payload',
  pidfd_getfd: 'takes file descriptors out of other processes',
  kcmp: 'compares kernel objects of processes, a help for exploits',
  socket: 'opens sockets of any family, which reach whatever the network namespace does',
  connect: 'reaches peers over sockets',
  bind: 'offers a service on an address',
  listen: 'offers a service',
  accept: 'takes connections from others',
  accept4: 'takes connections from others',
  sendto: 'sends to any address on a socket that it holds',
  sendmsg: 'sends to any address, and passes file descriptors to others',
  sendmmsg: 'sends to any address, and passes file descriptors to others',
  setuid: 'changes the user',
  setgid: 'changes the group',
  setreuid: 'changes the user',
  setregid: 'changes the group',
  setresuid: 'changes the user',
  setresgid: 'changes the group',
  setgroups: 'changes the groups',
  capset: 'changes capabilities',
  mknod: 'makes devices and FIFOs',
  mknodat: 'makes devices and FIFOs',
  personality: 'changes how the kernel runs the program',
  io_submit: 'makes file operations that are not recorded one by one',
  vmsplice: 'shares pages with pipes, a steady source of kernel faults',
  add_key: 'uses kernel key rings',
  keyctl: 'uses kernel key rings',
  request_key: 'uses kernel key rings',
};

const WITHHELD_REASONS: Readonly<Record<WithheldName['by'], (name: string) => string>> = {
  ceiling: (name) =>
    `the ceiling refuses it whatever the profile says: ${CEILING_REASONS[name] ?? 'set by an administrator'}`,
  'engine-default': () => "the engine's default profile refuses it, and no profile is wider than that",
  guard: (name) => `a guard refuses it in every filter: ${guardOf(name)?.reason ?? ''}`,
};

/**
 * Calls sorted by name, then file rules by path. `ceiling`: the names that the administrators' ceiling refuses.
 * @throws FilterError UNKNOWN_SYSCALLS
 */
export function lintProfile(
  profile: Profile,
  coverage: Coverage = {},
  ceiling: readonly string[] = DEFAULT_CEILING,
): readonly LintWarning[] {
  const { architecture } = profile;
  const names = allowedNames(profile);
  const engineDefault = engineDefaultNames(architecture);
  const withheld = new Map(
    withheldNames({ architecture, rules: profile.rules, ceiling, engineDefault }).map(({ name, by }) => [name, by]),
  );
  const rules = byName(profile.rules);
  const isHeld = [...rules.values()].some((alternatives) => !isUnconditional(alternatives));
  const aboutCalls = names.flatMap((name): LintWarning[] => {
    const by = withheld.get(name);
    // What is refused anyway is not a risk as well.
    if (by) return [{ name, kind: 'withheld', reason: WITHHELD_REASONS[by](name) }];
    const alternatives = rules.get(name) ?? [];
    const reasons = [...nameReasons(name, alternatives), ...argumentReasons(name, alternatives, isHeld)];
    return [
      ...reasons.map((reason): LintWarning => ({ name, kind: 'risky', reason })),
      ...rare(name, Object.hasOwn(coverage, name) ? coverage[name] : undefined),
    ];
  });
  return [...aboutCalls, ...lintFiles(profile, coverage)];
}

/** What is said of a name is said of its values instead, where the profile holds it to some and they are told apart. */
function nameReasons(name: string, alternatives: readonly Alternative[]): readonly string[] {
  const isToldApart = !isUnconditional(alternatives) && Object.hasOwn(RISKY_VALUES, name);
  return Object.hasOwn(RISKY_REASONS, name) && !isToldApart ? [RISKY_REASONS[name] ?? ''] : [];
}

function rare(name: string, seen: Coverage[string] | undefined): LintWarning[] {
  if (seen?.seenIn !== 1 || seen.of < 2) return [];
  return [{ name, kind: 'rare', reason: `seen in 1 of ${seen.of} recordings only` }];
}
