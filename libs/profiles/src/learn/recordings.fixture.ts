/** Recordings with arguments for the specs of this folder, and what is learned from them, in short words. */
import { callClass } from '../kernel/families.js';
import { type Alternative, byName } from '../model/argument-rules.js';
import { type Condition, type Hex } from '../model/condition.js';
import { type Profile, type Rule } from '../model/profile.js';
import { type ArgumentUse, type Recording } from '../model/recording.js';
import { AWARE_ARGUMENTS } from './aware-arguments.js';
import { fixedConditions } from './fixed-conditions.js';
import { mergeRecordings, type MergeOptions, type RecordedRun } from './merge.js';

export type Uses = readonly (readonly [call: string, ...values: number[]])[];

/** A recording of kind `arguments` with these uses, or of kind `syscalls` with these names. */
export function recordingOf(uses: Uses, names: readonly string[] | null = null): Recording {
  const argumentUses = uses.map(([call, ...values]): ArgumentUse => {
    const keyed = (AWARE_ARGUMENTS[call] ?? []).map(({ argument }, index) => [argument, hex(values[index] ?? 0)]);
    return { call, values: Object.fromEntries(keyed) as Record<string, Hex>, count: 3, failures: {} };
  });
  return {
    version: 1,
    architecture: 'x86_64',
    calls: Object.fromEntries([...uses.map(([call]) => call), ...(names ?? [])].map((name) => [name, 3])),
    certificate: {
      ...{ armedBeforeStart: true, started: true, cleanDrain: true, payloadEndedOnItsOwn: true },
      ...{ compatCalls: 0, x32Calls: 0, unknownCalls: 0, ioUringSetups: 0, recursionMisses: 0, mapFailures: 0 },
      ...{ foreignProcesses: 0, supervisorCalls: 4, execs: 1 },
    },
    partialReasons: [],
    ...(names === null && { arguments: argumentUses }),
  };
}

const hex = (value: number): Hex => `0x${value.toString(16)}`;
let digests = 0;
export const runOf = (recording: Recording): RecordedRun => {
  const inputsDigest = `inputs ${digests++}`;
  return { digest: inputsDigest, inputsDigest, exitCode: 0, recording };
};

export function learn(recordings: readonly Recording[], options: Partial<MergeOptions> = {}): Profile {
  const needed = options.needed ?? 1;
  const result = mergeRecordings(recordings.map(runOf), { distinctInputs: needed, ...options, needed });
  if (result.kind !== 'profile') throw new Error(result.kind);
  return result.profile;
}

/** "1=0x3 2&0xf=0x1" for each alternative; "any" for one without conditions. */
export function words(profile: Profile, name: string): readonly string[] {
  return inWords(byName(profile.rules).get(name) ?? []);
}

/** What a basic or implied call may be made with although nobody saw it. */
export const fixedWords = (name: string) => inWords(fixedConditions(name));

/** What was learned of the first call beyond that. */
export function learned(...uses: Uses): readonly string[] {
  const name = uses[0]?.[0] ?? '';
  const isFixed = ['basic', 'harmless'].includes(callClass(name));
  return words(learn([recordingOf(uses)]), name).filter((word) => !isFixed || !fixedWords(name).includes(word));
}

function inWords(alternatives: readonly Alternative[]): readonly string[] {
  const word = ({ argument, op, mask, value }: Condition): string =>
    `${argument}${mask === undefined ? '' : `&${mask}`}${op === 'SCMP_CMP_NE' ? '!' : ''}=${value}`;
  return alternatives.map((conditions) => (conditions.length === 0 ? 'any' : conditions.map(word).join(' ')));
}

export const rule = (name: string, ...args: Condition[]): Rule => ({
  ...{ names: [name], action: 'SCMP_ACT_ALLOW' as const },
  ...(args.length > 0 && { args }),
});
export const equal = (argument: number, value: Hex): Condition => ({ argument, op: 'SCMP_CMP_EQ', value });
export const basedOn = (...rules: Rule[]): Profile => ({ version: 1, architecture: 'x86_64', rules, network: 'none' });
