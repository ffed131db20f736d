/** The smallest programs of other ABIs, byte by byte, so that no 32-bit compiler or library is needed. */

/** elf(5), of the machines whose 32-bit programs a kernel may run or refuse. */
export const MACHINES = { i386: 3, arm: 40, x32: 62 } as const;

const BASE = 0x08048000;
const HEADER_BYTES = 52;
const SEGMENT_BYTES = 32;

/** getpid; exit(7); hlt, which is where a program gets whose exit is refused: it dies by SIGSEGV. */
const CODE = Buffer.from('b814000000cd80b801000000bb07000000cd80f4', 'hex');

/**
 * Its code is i386's, and is executed where the kernel runs programs of that machine, and finds the `linker` that it
 * names, if it names one.
 */
export function foreignProgram(machine: number = MACHINES.i386, linker = ''): Buffer {
  const segments = linker === '' ? 1 : 2;
  const start = HEADER_BYTES + segments * SEGMENT_BYTES;
  const name = Buffer.from(linker === '' ? '' : `${linker}\0`);
  const file = Buffer.concat([Buffer.alloc(start), CODE, name]);
  // 32 bits, least significant byte first, version 1.
  file.write('\x7fELF\x01\x01\x01', 'latin1');
  // An executable with its entry, and its program headers right behind this one.
  [2, machine].forEach((value, index) => file.writeUInt16LE(value, 16 + 2 * index));
  [1, BASE + start, HEADER_BYTES].forEach((value, index) => file.writeUInt32LE(value, 20 + 4 * index));
  [HEADER_BYTES, SEGMENT_BYTES, segments].forEach((value, index) => file.writeUInt16LE(value, 40 + 2 * index));
  // PT_LOAD of the whole file, read and execute; PT_INTERP of the linker's name.
  const load = [1, 0, BASE, BASE, file.length, file.length, 5, 0x1000];
  const place = start + CODE.length;
  const interpreter = [3, place, BASE + place, BASE + place, name.length, name.length, 4, 1];
  const headers = [...load, ...(linker === '' ? [] : interpreter)];
  headers.forEach((value, index) => file.writeUInt32LE(value, HEADER_BYTES + 4 * index));
  return file;
}

/** A shell command that writes it where there is no file of the test's. */
export function writeForeignProgram(path: string): string {
  const bytes = [...foreignProgram()].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`);
  return `printf '${bytes.join('')}' > ${path} && chmod +x ${path}`;
}
