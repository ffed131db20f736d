/** A condition as the compiler takes it, checked against the width table, and the instructions that test it. */
import { argumentWidth, type ArgumentWidth, whyNotScalar } from '../kernel/argument-widths.js';
import { type Comparison, type Condition } from '../model/condition.js';
import { and, load, offsetOfArgumentHigh, offsetOfArgumentLow } from './bpf.js';
import { type Code, type Label } from './code.js';
import { FilterError } from './filter-error.js';

export interface ArgumentTest {
  readonly argument: number;
  readonly op: Comparison;
  readonly width: ArgumentWidth;
  readonly value: bigint;
  /** With SCMP_CMP_MASKED_EQ the condition's, otherwise all bits of the width. Holds every bit of `value`. */
  readonly mask: bigint;
}

/** @throws FilterError INVALID_CONDITION */
export function argumentTest(call: string, condition: Condition): ArgumentTest {
  const { argument, op } = condition;
  const width = argumentWidth(call, argument);
  if (width === null) throw new FilterError('INVALID_CONDITION', whyNotScalar(call, argument), [call]);
  const all = (1n << BigInt(width)) - 1n;
  const value = BigInt(condition.value);
  const mask = op === 'SCMP_CMP_MASKED_EQ' ? BigInt(condition.mask ?? all) : all;
  if ((mask & ~all) !== 0n || (value & ~mask) !== 0n) {
    const problem = `argument ${argument} of "${call}" has ${width} bits, and the value none outside the mask`;
    throw new FilterError('INVALID_CONDITION', problem, [call]);
  }
  return { argument, op, width, value, mask };
}

/** Control goes to `pass` where the test holds and to `fail` elsewhere. */
export function emitTest(code: Code, test: ArgumentTest, pass: Label, fail: Label): Label {
  switch (test.op) {
    case 'SCMP_CMP_EQ':
    case 'SCMP_CMP_MASKED_EQ':
      return emitEqual(code, test, pass, fail);
    case 'SCMP_CMP_NE':
      return emitEqual(code, test, fail, pass);
    case 'SCMP_CMP_GE':
      return emitOrdered(code, test, 'jumpIfAtLeast', pass, fail);
    case 'SCMP_CMP_GT':
      return emitOrdered(code, test, 'jumpIfGreater', pass, fail);
    case 'SCMP_CMP_LT':
      return emitOrdered(code, test, 'jumpIfAtLeast', fail, pass);
    case 'SCMP_CMP_LE':
      return emitOrdered(code, test, 'jumpIfGreater', fail, pass);
  }
}

function emitEqual(code: Code, { argument, mask, value }: ArgumentTest, yes: Label, no: Label): Label {
  const low = emitWordEqual(code, offsetOfArgumentLow(argument), lowWord(mask), lowWord(value), yes, no);
  return emitWordEqual(code, offsetOfArgumentHigh(argument), highWord(mask), highWord(value), low, no);
}

/** A word without a bit in the mask is not looked at: the high one of an argument of 32 bits, above all. */
function emitWordEqual(code: Code, offset: number, mask: number, value: number, yes: Label, no: Label): Label {
  if (mask === 0) return yes;
  code.jumpIfEqual(value, yes, no);
  if (mask !== 0xffffffff) code.emit(and(mask));
  return code.emit(load(offset));
}

/** Of 64 bits: a greater high word decides, an equal one leaves it to the low word. */
function emitOrdered(
  code: Code,
  { argument, width, value }: ArgumentTest,
  jump: 'jumpIfAtLeast' | 'jumpIfGreater',
  yes: Label,
  no: Label,
): Label {
  code[jump](lowWord(value), yes, no);
  const low = code.emit(load(offsetOfArgumentLow(argument)));
  if (width === 32) return low;
  const equal = code.jumpIfEqual(highWord(value), low, no);
  code.jumpIfGreater(highWord(value), yes, equal);
  return code.emit(load(offsetOfArgumentHigh(argument)));
}

const lowWord = (value: bigint): number => Number(value & 0xffffffffn);
const highWord = (value: bigint): number => Number(value >> 32n);
