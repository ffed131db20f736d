import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { disassemble } from './disassemble.js';
import { decodeProgram, encodeProgram, programDigest } from './encode.js';
import { type Instruction } from './instruction.js';

const program: Instruction[] = [
  { code: 0x20, jt: 0, jf: 0, k: 4 },
  { code: 0x15, jt: 1, jf: 0, k: 0xc000003e },
  { code: 0x06, jt: 0, jf: 0, k: 0x00050026 },
  { code: 0x20, jt: 0, jf: 0, k: 24 },
  { code: 0x05, jt: 0, jf: 0, k: 0 },
  { code: 0x06, jt: 0, jf: 0, k: 0x7fc00000 },
];

describe('the wire form', () => {
  it('is struct sock_filter, little-endian, eight bytes each', () => {
    expect(Buffer.from(encodeProgram(program).subarray(0, 24)).toString('hex')).toBe(
      '2000000004000000' + '150001003e0000c0' + '0600000026000500',
    );
  });

  it('decodes to the same program, also from the middle of a buffer', () => {
    const bytes = encodeProgram(program);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(decodeProgram(shifted.subarray(3))).toEqual(program);
    expect(() => decodeProgram(bytes.subarray(1))).toThrow(RangeError);
  });

  it('has the SHA-256 of its bytes as digest', () => {
    const expected = createHash('sha256').update(encodeProgram(program)).digest('hex');
    expect(programDigest(program)).toBe(expected);
    expect(programDigest(program.slice(1))).not.toBe(expected);
  });

  it('reads as text with absolute targets', () => {
    expect(disassemble(program).trimEnd().split('\n')).toEqual([
      '0: ld arch',
      '1: jeq 0xc000003e ? 3 : 2',
      '2: ret ERRNO(38)',
      '3: ld args[1].low',
      '4: ja 5',
      '5: ret USER_NOTIF',
    ]);
  });
});
