/** libseccomp as the oracle of the filter compiler's tests: rules in its words, and the program that it makes of them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import {
  type Architecture,
  argumentWidth,
  type Condition,
  decodeProgram,
  guardOf,
  type Instruction,
  type OciSeccomp,
  syscallNames,
} from '#lib/profiles';

const FOLDER = '.porin/native';
const ORACLE = `${FOLDER}/libseccomp-oracle`;

export function compileOracle(): void {
  mkdirSync(FOLDER, { recursive: true });
  const source = 'test/support/libseccomp-oracle.c';
  execFileSync('cc', ['-Wall', '-Wextra', '-Werror', '-O1', '-o', ORACLE, source, '-lseccomp']);
}

function oracle(mode: 'resolve' | 'build', architecture: Architecture, lines: readonly string[]): Buffer {
  return execFileSync(ORACLE, [mode, architecture], { input: lines.map((line) => `${line}\n`).join('') });
}

/** The filter that a container runtime makes of an exported profile. It passes over rules that do what the default does. */
export function engineProgram(architecture: Architecture, oci: OciSeccomp): Instruction[] {
  const lines = oci.syscalls.flatMap(({ names, action, errnoRet, args = [] }) => {
    if (action === 'SCMP_ACT_ERRNO' && errnoRet === oci.defaultErrnoRet) return [];
    const conditions = args.map(({ index, op, value, valueTwo }) => {
      const [datum, mask] = op === 'SCMP_CMP_MASKED_EQ' ? [valueTwo, value] : [value, 0];
      return [index, op.slice('SCMP_CMP_'.length), datum.toString(16), mask.toString(16)].join(':');
    });
    const what = action === 'SCMP_ACT_ALLOW' ? 'allow' : String(errnoRet);
    return names.map((name) => [what, name, ...conditions].join(' '));
  });
  const input = lines.map((line) => `${line}\n`).join('');
  const mode = ['engine', architecture, String(oci.defaultErrnoRet)];
  return decodeProgram(execFileSync(ORACLE, mode, { input, timeout: 60_000 }));
}

/** Name -> number as this machine's libseccomp has it; names it does not know are absent. */
export function libseccompTable(architecture: Architecture): Map<string, number> {
  const lines = oracle('resolve', architecture, syscallNames(architecture)).toString().trimEnd().split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [name = '', number = ''] = line.split(' ');
      return Number(number) < 0 ? [] : [[name, Number(number)] as const];
    }),
  );
}

/** The filter that allows what the lines of `rulesOf` match and notifies about everything else. */
export function libseccompProgram(architecture: Architecture, lines: readonly string[]): Instruction[] {
  return decodeProgram(oracle('build', architecture, lines));
}

const ALL = 0xffffffffn;
/** Bits of a low word that must have a value. */
type Pattern = readonly [mask: bigint, value: bigint];

/**
 * libseccomp has no comparison of 32 bits. A word differs from a value where one of its bits does; it is greater where it
 * agrees down to a bit that is set in it alone, and less where it agrees down to one that is set in the value alone.
 */
function patterns({ op, value: text, mask }: Condition): readonly Pattern[] {
  const value = BigInt(text);
  const bits = Array.from({ length: 32 }, (_, bit) => 1n << BigInt(bit));
  const downTo = (bit: bigint): bigint => ALL & ~(bit - 1n);
  const differing = (isSet: boolean): readonly Pattern[] =>
    bits
      .filter((bit) => ((value & bit) !== 0n) === isSet)
      .map((bit) => [downTo(bit), (value & downTo(bit)) ^ bit] as const);
  const [equal, greater, less]: (readonly Pattern[])[] = [[[ALL, value]], differing(false), differing(true)];
  const outcomes = {
    SCMP_CMP_EQ: equal,
    SCMP_CMP_NE: bits.map((bit) => [bit, ~value & bit] as const),
    SCMP_CMP_LT: less,
    SCMP_CMP_LE: [...less!, ...equal!],
    SCMP_CMP_GE: [...greater!, ...equal!],
    SCMP_CMP_GT: greater,
    SCMP_CMP_MASKED_EQ: [[BigInt(mask ?? 0), value] as const],
  };
  return outcomes[op] ?? [];
}

/** libseccomp takes one condition an argument in a rule: those on one low word are put together. */
function together(all: readonly (readonly Pattern[])[]): readonly Pattern[] {
  return all.reduce<readonly Pattern[]>(
    (held, more) =>
      held.flatMap(([mask, value]) =>
        more.flatMap(([otherMask, otherValue]): Pattern[] =>
          ((value ^ otherValue) & mask & otherMask) === 0n ? [[mask | otherMask, value | otherValue]] : [],
        ),
      ),
    [[0n, 0n]],
  );
}

function conditionTexts(name: string, argument: number, conditions: readonly Condition[]): readonly string[] {
  if (argumentWidth(name, argument) === 32) {
    const found = together(conditions.map(patterns)).map(
      ([mask, value]) => `${argument}:MASKED_EQ:${value.toString(16)}:${mask.toString(16)}`,
    );
    return [...new Set(found)];
  }
  const [only, ...more] = conditions;
  if (!only || more.length > 0) throw new Error('libseccomp takes one condition on an argument of 64 bits');
  return [[argument, only.op.slice('SCMP_CMP_'.length), only.value, only.mask ?? '0x0'].join(':')];
}

/** The lines of one call: the guard's alternatives times the profile's. */
export function rulesOf(name: string, granted: readonly (readonly Condition[])[] = [[]]): string[] {
  const guard = guardOf(name)?.anyOf ?? [[]];
  const lines = guard.flatMap((guarded) =>
    granted.flatMap((alternative) => {
      const conditions = [...guarded, ...alternative];
      const places = [...new Set(conditions.map(({ argument }) => argument))];
      return places.reduce<readonly string[]>(
        (all, place) =>
          all.flatMap((line) =>
            conditionTexts(
              name,
              place,
              conditions.filter(({ argument }) => argument === place),
            ).map((text) => `${line} ${text}`),
          ),
        [name],
      );
    }),
  );
  return [...new Set(lines)];
}
