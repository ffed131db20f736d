/** A program's wire form, struct sock_filter[] (linux/filter.h), little-endian as both architectures are, and its digest. */
import { createHash } from 'node:crypto';
import { type Instruction } from './instruction.js';

const INSTRUCTION_BYTES = 8;

export function encodeProgram(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jt, jf, k }, index) => {
    const offset = index * INSTRUCTION_BYTES;
    view.setUint16(offset, code, true);
    view.setUint8(offset + 2, jt);
    view.setUint8(offset + 3, jf);
    view.setUint32(offset + 4, k, true);
  });
  return bytes;
}

/** The inverse of encodeProgram. @throws RangeError when the bytes are no whole number of instructions */
export function decodeProgram(bytes: Uint8Array): Instruction[] {
  if (bytes.length % INSTRUCTION_BYTES !== 0) throw new RangeError(`${bytes.length} bytes are no sock_filter array`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / INSTRUCTION_BYTES }, (_, index) => {
    const offset = index * INSTRUCTION_BYTES;
    return {
      code: view.getUint16(offset, true),
      jt: view.getUint8(offset + 2),
      jf: view.getUint8(offset + 3),
      k: view.getUint32(offset + 4, true),
    };
  });
}

/** SHA-256 of the encoded program, hexadecimal: equal profiles give equal digests on every node. */
export function programDigest(program: readonly Instruction[]): string {
  return createHash('sha256').update(encodeProgram(program)).digest('hex');
}
