/** Words for a socket address (struct sockaddr and its kinds) as copied out of the payload. */
import { SOCKET_FAMILIES, word } from '#lib/profiles';

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

export function describeAddress(bytes: Buffer): string {
  if (bytes.length < 2) return 'no address';
  const family = bytes.readUInt16LE(0);
  if (family === AF_INET && bytes.length >= 8) {
    return `${[...bytes.subarray(4, 8)].join('.')}:${bytes.readUInt16BE(2)}`;
  }
  if (family === AF_INET6 && bytes.length >= 24) {
    const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(8 + 2 * index).toString(16));
    return `[${groups.join(':')}]:${bytes.readUInt16BE(2)}`;
  }
  if (family === AF_UNIX) return describeUnix(bytes.subarray(2));
  return word(SOCKET_FAMILIES, family);
}

/** A leading NUL makes the name abstract: then all of it counts, without one it ends at the first NUL. */
function describeUnix(name: Buffer): string {
  if (name.length === 0) return 'unix, unnamed';
  if (name[0] === 0) return `unix, abstract ${JSON.stringify(name.subarray(1).toString())}`;
  const end = name.indexOf(0);
  return `unix ${JSON.stringify(name.subarray(0, end < 0 ? name.length : end).toString())}`;
}
