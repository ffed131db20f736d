/** Lays a verdict per system call number out as a classic-BPF program: a balanced search, then tests of arguments. */
import { type Architecture } from '../model/profile.js';
import { type ArgumentTest, emitTest } from './argument-test.js';
import { and, AUDIT_ARCH, load, OFFSET_ARCH, OFFSET_NR, offsetOfArgumentLow, ret } from './bpf.js';
import { Code, type Label } from './code.js';
import { type Instruction } from './instruction.js';

/** A return value, or one that depends on arguments. */
export type Verdict = number | ConditionalVerdict;

/** Alternatives, of which one must hold; of an alternative every test must. */
export type AnyOf = readonly (readonly ArgumentTest[])[];

export interface ConditionalVerdict {
  /** Each must hold. */
  readonly allOf: readonly AnyOf[];
  readonly pass: number;
  readonly fail: number;
}

/** Numbers from `from` up to the next range's `from`, as unsigned 32-bit values: -1 and x32 numbers lie at the top. */
interface Range {
  readonly from: number;
  readonly verdict: Verdict;
}

/**
 * @param verdicts by system call number; every other number, and every other architecture, gets `otherwise`.
 */
export function assemble(
  architecture: Architecture,
  verdicts: ReadonlyMap<number, Verdict>,
  otherwise: number,
): Instruction[] {
  const code = new Code();
  emitSearch(code, toRanges(verdicts, otherwise));
  const native = code.emit(load(OFFSET_NR));
  const foreign = code.emit(ret(otherwise));
  code.jumpIfEqual(AUDIT_ARCH[architecture], native, foreign);
  code.emit(load(OFFSET_ARCH));
  return code.instructions();
}

/** The instructions that a verdict takes, those of the search not counted. */
export function sizeOf(verdict: Verdict): number {
  const code = new Code();
  emitLeaf(code, simplify(verdict));
  return code.length;
}

function toRanges(verdicts: ReadonlyMap<number, Verdict>, otherwise: number): Range[] {
  const ranges: Range[] = [{ from: 0, verdict: otherwise }];
  const start = (from: number, verdict: Verdict): void => {
    if (ranges.at(-1)?.from === from) ranges.pop();
    if (ranges.at(-1)?.verdict !== verdict) ranges.push({ from, verdict });
  };
  for (const number of [...verdicts.keys()].sort((a, b) => a - b)) {
    start(number, simplify(verdicts.get(number) ?? otherwise));
    start(number + 1, otherwise);
  }
  return ranges;
}

/** What holds whatever the arguments, or never, needs none of them: a plain allow stays in the kernel's bitmap. */
function simplify(verdict: Verdict): Verdict {
  if (typeof verdict === 'number') return verdict;
  const { pass, fail } = verdict;
  const allOf = verdict.allOf.filter((anyOf) => anyOf.every((tests) => tests.length > 0));
  if (allOf.some((anyOf) => anyOf.length === 0)) return fail;
  return allOf.length === 0 ? pass : { allOf, pass, fail };
}

/**
 * A balanced search tree whose leaves all end in RET. Up to a leaf it only compares the number, which is what lets the
 * kernel (5.11 and newer) cache plain allows in a bitmap; arguments are loaded below the leaf of the call they belong to.
 */
function emitSearch(code: Code, ranges: readonly Range[]): Label {
  const middle = ranges.length >> 1;
  const [first, split] = [ranges[0], ranges[middle]];
  if (!first || !split || middle === 0) return emitLeaf(code, first?.verdict ?? 0);
  const above = emitSearch(code, ranges.slice(middle));
  const below = emitSearch(code, ranges.slice(0, middle));
  return code.jumpIfAtLeast(split.from, above, below);
}

function emitLeaf(code: Code, verdict: Verdict): Label {
  if (typeof verdict === 'number') return code.emit(ret(verdict));
  const fail = code.emit(ret(verdict.fail));
  const pass = code.emit(ret(verdict.pass));
  return verdict.allOf.reduceRight<Label>((next, anyOf) => emitAnyOf(code, anyOf, next, fail), pass);
}

function emitAnyOf(code: Code, anyOf: AnyOf, pass: Label, fail: Label): Label {
  const same = sameWord(anyOf);
  if (same) return emitChoice(code, same, anyOf, pass, fail);
  return anyOf.reduceRight<Label>(
    (next, tests) => tests.reduceRight<Label>((held, test) => emitTest(code, test, held, next), pass),
    fail,
  );
}

/** The first test, where all alternatives ask for values of one word under one mask. */
function sameWord(anyOf: AnyOf): ArgumentTest | undefined {
  const first = anyOf[0]?.[0];
  const isAlike = ({ argument, op, mask }: ArgumentTest): boolean =>
    argument === first?.argument && mask === first.mask && (op === 'SCMP_CMP_EQ' || op === 'SCMP_CMP_MASKED_EQ');
  return first?.width === 32 && anyOf.every((tests) => tests.length === 1 && tests.every(isAlike)) ? first : undefined;
}

/** One load for all of them. */
function emitChoice(code: Code, { argument, mask }: ArgumentTest, anyOf: AnyOf, pass: Label, fail: Label): Label {
  const values = anyOf.flatMap((tests) => tests.map(({ value }) => Number(value)));
  values.reduceRight<Label>((next, value) => code.jumpIfEqual(value, pass, next), fail);
  if (mask !== 0xffffffffn) code.emit(and(Number(mask)));
  return code.emit(load(offsetOfArgumentLow(argument)));
}
