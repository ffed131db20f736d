import { describe, expect, it } from 'vitest';
import { FilterError } from './filter-error.js';
import { type Instruction } from './instruction.js';
import { validateProgram } from './validate.js';

const ret: Instruction = { code: 0x06, jt: 0, jf: 0, k: 0x7fff0000 };
const at = (code: number, k: number, jt = 0, jf = 0): Instruction => ({ code, jt, jf, k });

describe('validateProgram', () => {
  it.each<[string, Instruction[]]>([
    ['a single RET', [ret]],
    ['a jump to the last instruction', [at(0x15, 1, 1, 0), ret, ret]],
    ['a JA to the last instruction', [at(0x05, 1), ret, ret]],
    ['the longest program', Array.from({ length: 4096 }, () => ret)],
    ['a load of the last word', [at(0x20, 60), ret]],
  ])('accepts %s', (_, program) => {
    expect(() => validateProgram(program)).not.toThrow();
  });

  it.each<[string, Instruction[]]>([
    ['no instruction at all', []],
    ['more than 4096 instructions', Array.from({ length: 4097 }, () => ret)],
    ['a true branch past the end', [at(0x15, 1, 2, 0), ret, ret]],
    ['a false branch past the end', [at(0x35, 1, 0, 2), ret, ret]],
    ['a JA past the end', [at(0x05, 2), ret, ret]],
    ['a backward JA in disguise', [at(0x05, 0xffffffff), ret]],
    ['an end without RET', [ret, at(0x20, 0)]],
    ['an unaligned load', [at(0x20, 6), ret]],
    ['a load outside seccomp_data', [at(0x20, 64), ret]],
    ['an offset of more than eight bits', [at(0x15, 1, 256, 0), ...Array.from({ length: 300 }, () => ret)]],
    ['a value of more than 32 bits', [at(0x15, 2 ** 32, 0, 0), ret]],
    ['a signed value', [at(0x15, -1, 0, 0), ret]],
    ['an instruction that seccomp does not take', [at(0x28, 0), ret]],
  ])('refuses %s', (_, program) => {
    expect(() => validateProgram(program)).toThrow(FilterError);
  });
});
