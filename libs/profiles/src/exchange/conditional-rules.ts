/** The rules of an export that hold calls to arguments, as many as a kernel takes in one filter. */
import { type AnyOf } from '../filter/assemble.js';
import { refusalErrno } from '../filter/eperm.js';
import { argumentAlternatives, type OciAlternatives, type OciArgument } from './oci-arguments.js';
import { NARROWED, OTHER_ERRNO, REPORTED } from './oci-comments.js';
import { ERRNO } from '../filter/bpf.js';
import { type OciSyscall } from './oci-format.js';
import { refusedArguments } from './refused-arguments.js';

export interface ConditionalCall {
  readonly name: string;
  /** Of each, one alternative must hold: the guard's and the profile's. */
  readonly allOf: readonly AnyOf[];
}

/**
 * In all. libseccomp makes three instructions of a test, beside two or three a call, and the kernel takes 4096: a filter
 * over it would not load at all.
 */
const TESTS_MAXIMUM = 1000;

/** If not all rules fit, calls with the fewest rules come first. Calls that are never allowed have no rule. */
export function conditionalRules(calls: readonly ConditionalCall[]): readonly OciSyscall[] {
  let room = TESTS_MAXIMUM;
  const taken = calls
    .map(({ name, allOf }) => ({ name, allOf, ...soundly(argumentAlternatives(allOf)) }))
    .filter(({ alternatives, narrowed }) => alternatives.length > 0 || narrowed)
    .sort((a, b) => a.alternatives.length - b.alternatives.length || (a.name < b.name ? -1 : 1))
    .map((call) => {
      const tests = call.alternatives.flat().length;
      if (tests > room) return { ...call, alternatives: [], narrowed: true };
      room -= tests;
      return call;
    });
  return taken.flatMap(({ name, allOf, alternatives, narrowed }): OciSyscall[] => {
    const errnoRet = ERRNO[refusalErrno(name)];
    if (alternatives.length === 0) {
      return [{ names: [name], action: 'SCMP_ACT_ERRNO', errnoRet, comment: NARROWED }];
    }
    const refused = errnoRet === ERRNO.ENOSYS ? [] : refusedSoundly(allOf, alternatives, room);
    room -= refused?.flat().length ?? 0;
    const comments = [...(narrowed ? [NARROWED] : []), ...(refused === null ? [OTHER_ERRNO] : [])];
    const comment = comments.length > 0 ? { comment: comments.join(' ') } : {};
    return [
      ...alternatives.map((args): OciSyscall => ({ names: [name], action: 'SCMP_ACT_ALLOW', args, ...comment })),
      ...(refused ?? []).map((args) => refusal(name, errnoRet, args)),
    ];
  });
}

/**
 * libseccomp 2.5.4 builds a filter that is wider than its rules, or none and never returns, where a call has several
 * rules and one of them has another comparison than for equality (tried: every comparison, against 2.5.4 and the kernel's
 * meaning of the program). Several of equality, or a single one of any kind, are right.
 */
function soundly({ alternatives, narrowed }: OciAlternatives): OciAlternatives {
  if (alternatives.length < 2) return { alternatives, narrowed };
  const sound = alternatives.filter((tests) => tests.every(isOfEquality));
  if (sound.length === alternatives.length) return { alternatives, narrowed };
  return { alternatives: sound.length > 0 ? sound : alternatives.slice(0, 1), narrowed: true };
}

function isOfEquality({ op }: OciArgument): boolean {
  return op === 'SCMP_CMP_EQ' || op === 'SCMP_CMP_MASKED_EQ';
}

/** A comparison and its opposite on one argument are right too. */
function refusedSoundly(
  allOf: readonly AnyOf[],
  alternatives: OciAlternatives['alternatives'],
  maximum: number,
): OciAlternatives['alternatives'] | null {
  const refused = refusedArguments(allOf, maximum);
  if (refused === null || refused.flat().length > maximum) return null;
  const all = [...alternatives, ...refused];
  return all.flat().every(isOfEquality) || (all.length === 2 && all.flat().length === 2) ? refused : null;
}

function refusal(name: string, errnoRet: number, args: readonly OciArgument[]): OciSyscall {
  return { names: [name], action: 'SCMP_ACT_ERRNO', errnoRet, args, comment: REPORTED };
}
