/** Writes a tar (POSIX.1-1988 ustar) of a few files, all of root's and of the year 1970. */

export interface TarEntry {
  /** At most 99 bytes; a directory ends with a slash. */
  readonly name: string;
  readonly mode: number;
  readonly contents?: Buffer;
}

const BLOCK_BYTES = 512;

/** Two empty blocks end it. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(2 * BLOCK_BYTES)]);
}

function blocksOf({ name, mode, contents = Buffer.alloc(0) }: TarEntry): Buffer[] {
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(name, 0);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(contents.length, 11), 124);
  header.write(octal(0, 11), 136);
  // The checksum counts its own field as spaces.
  header.write(' '.repeat(8), 148);
  header.write(name.endsWith('/') ? '5' : '0', 156);
  header.write('ustar\0' + '00', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)} `, 148);
  return [header, contents, Buffer.alloc((BLOCK_BYTES - (contents.length % BLOCK_BYTES)) % BLOCK_BYTES)];
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, '0')}\0`;
}
