/** What a run was refused, written as the recording of a run that had made it: then it is learned from as any other. */
import { fileRefusals } from '../audit/file-refusals.js';
import { refusalErrno } from '../filter/eperm.js';
import { guardOf } from '../filter/guards.js';
import { isQuietlyRefusable } from '../kernel/engine-default.js';
import { AWARE_ARGUMENTS } from '../learn/aware-arguments.js';
import { type Hex } from '../model/condition.js';
import { holds } from '../model/holds.js';
import { type Architecture, type Profile } from '../model/profile.js';
import { type ArgumentUse, FILE_ACCESSES, type FileUse, type Recording } from '../model/recording.js';
import { denialClass } from './denial-class.js';

/** As it is stored. */
export interface RefusedCall {
  readonly call: string;
  readonly architecture: string;
  readonly errno?: string | null;
  /** As many as the call takes. */
  readonly arguments: readonly string[];
  readonly count: number;
}

export interface DeniedRun {
  readonly refused: readonly RefusedCall[];
  /** Of the run itself, where one was made: files that were refused are known by it alone. */
  readonly recording: Recording | null;
}

export interface DeniedOptions {
  /** The approved profile. */
  readonly profile: Profile;
  /** Whether recordings or a person gave it its conditions: then arguments count. */
  readonly isTaught: boolean;
  /** Names that may be called at all, and those that never may; see grantedNames and DEFAULT_CEILING. */
  readonly granted: readonly string[];
  readonly ceiling: readonly string[];
}

export type DeniedEvidence =
  | { readonly kind: 'recording'; readonly recording: Recording }
  /** No version of any kind lets it through. `reason`: a whole sentence. */
  | { readonly kind: 'unproposable'; readonly reason: string }
  /** Only what no kernel of ours has: any may answer so. */
  | { readonly kind: 'nothing' };

/** One call that no version may allow is enough: the run would be refused it again, whatever else is approved. */
export function deniedRecording(run: DeniedRun, options: DeniedOptions): DeniedEvidence {
  const { profile, isTaught, granted } = options;
  const told = run.refused.filter((denial) => denialClass(denial) !== null);
  if (told.length === 0) return { kind: 'nothing' };
  const problem = told.map((denial) => refusedAnyway(denial, options)).find((reason) => reason !== null);
  if (problem != null) return { kind: 'unproposable', reason: problem };
  const calls = told.filter(({ call }) => call !== 'file');
  const made = calls.filter(({ call }) => granted.includes(call));
  const quiet = calls.filter(({ call }) => !granted.includes(call));
  const files = calls.length < told.length ? refusedFiles(run.recording, profile) : [];
  if (calls.length < told.length && files.length === 0) {
    const reason =
      'Files or sockets were refused that no rule can name, or that no recording of monitoring "files" has.';
    return { kind: 'unproposable', reason };
  }
  const uses = isTaught ? made.flatMap(useOf) : [];
  return {
    kind: 'recording',
    recording: {
      ...blank(profile.architecture),
      calls: counted(made),
      ...(quiet.length > 0 && {
        refused: Object.fromEntries(quiet.map(({ call, count }) => [call, { [refusalErrno(call)]: count }])),
      }),
      ...(uses.length > 0 && { arguments: uses }),
      ...(files.length > 0 && { files }),
    },
  };
}

function refusedAnyway(denial: RefusedCall, { granted, ceiling }: DeniedOptions): string | null {
  const { call } = denial;
  if (call === 'file') return null;
  if (denialClass(denial) === 'dangerous') return `${call} is dangerous, and is never proposed for being refused.`;
  if (ceiling.includes(call)) return `${call} is above the ceiling: no profile grants it.`;
  if (!granted.includes(call) && !isQuietlyRefusable(call)) {
    return `${call} is beyond the engine's default: no profile grants it until an administrator adds it there.`;
  }
  const guard = guardOf(call);
  if (!guard || guard.anyOf.some((conditions) => conditions.every((each) => mayMeet(each, denial)))) return null;
  return `${call} is refused with these arguments whatever the profile says: ${guard.reason}.`;
}

/** An argument that is not known may be any. */
function mayMeet(condition: Parameters<typeof holds>[0], { arguments: values }: RefusedCall): boolean {
  const value = values[condition.argument];
  // Guards speak of ints: the kernel reads the lower half.
  return value === undefined || holds(condition, BigInt.asUintN(32, BigInt(value)));
}

/** What Landlock refused, as if it had been done. Sockets have no rules. */
function refusedFiles(recording: Recording | null, profile: Profile): readonly FileUse[] {
  if (recording === null) return [];
  return fileRefusals(recording, profile).flatMap(({ access, path, count }) => {
    const known = FILE_ACCESSES.find((each) => each === access);
    return known ? [{ path, access: known, result: 'ok', resolved: true, count }] : [];
  });
}

/** Nothing where the denial lacks one of the arguments that tell one use from another. */
function useOf({ call, arguments: given, count }: RefusedCall): readonly ArgumentUse[] {
  const aware = AWARE_ARGUMENTS[call];
  if (!aware) return [];
  const values = aware.map(({ argument, mask }): [string, Hex] | null => {
    const value = given[argument];
    return value === undefined ? null : [String(argument), `0x${(BigInt(value) & BigInt(mask)).toString(16)}`];
  });
  if (values.some((value) => value === null)) return [];
  return [{ call, values: Object.fromEntries(values.filter((value) => value !== null)), count, failures: {} }];
}

function counted(calls: readonly RefusedCall[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { call, count } of calls) counts[call] = (counts[call] ?? 0) + count;
  return counts;
}

/** Complete, as learning asks of any recording: what it lacks was made, and is in the profile. */
function blank(architecture: Architecture): Recording {
  return {
    version: 1,
    architecture,
    calls: {},
    certificate: {
      armedBeforeStart: true,
      started: true,
      cleanDrain: true,
      payloadEndedOnItsOwn: true,
      compatCalls: 0,
      x32Calls: 0,
      unknownCalls: 0,
      ioUringSetups: 0,
      recursionMisses: 0,
      mapFailures: 0,
      foreignProcesses: 0,
      supervisorCalls: 0,
      execs: 0,
    },
    partialReasons: [],
  };
}
