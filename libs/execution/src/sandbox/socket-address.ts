/** Words for a socket address (struct sockaddr and its kinds) as copied out of the payload. */
import { quoted, SOCKET_FAMILIES } from '#lib/profiles';

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

/** The address in the form in which a recording holds it. A path or an abstract name may be of any bytes. */
export function socketAddress(bytes: Buffer): { readonly family: string; readonly name: Buffer } {
  const family = bytes.length < 2 ? 0 : bytes.readUInt16LE(0);
  switch (family) {
    case AF_UNIX:
      return { family: 'AF_UNIX', name: unixName(bytes.subarray(2)) };
    case AF_INET:
      return { family: 'AF_INET', name: Buffer.from(internetAddress(bytes) ?? '') };
    case AF_INET6:
      return { family: 'AF_INET6', name: Buffer.from(internetAddress(bytes) ?? '') };
    default:
      return { family: `AF_${family}`, name: Buffer.alloc(0) };
  }
}

/** As /proc/net/unix has it: NUL bytes of an abstract name are written "@". */
function unixName(name: Buffer): Buffer {
  if (name[0] === 0) return Buffer.from(name.map((byte) => (byte === 0 ? 0x40 : byte)));
  const end = name.indexOf(0);
  return end < 0 ? name : name.subarray(0, end);
}

/** Undefined for other families, and for what is too short for its own. */
function internetAddress(bytes: Buffer): string | undefined {
  const family = bytes.readUInt16LE(0);
  if (family === AF_INET && bytes.length >= 8) {
    return `${[...bytes.subarray(4, 8)].join('.')}:${bytes.readUInt16BE(2)}`;
  }
  if (family === AF_INET6 && bytes.length >= 24) {
    const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(8 + 2 * index).toString(16));
    // The URL parser writes the short form (RFC 5952).
    return `${new URL(`http://[${groups.join(':')}]`).hostname}:${bytes.readUInt16BE(2)}`;
  }
  return undefined;
}

export function describeAddress(bytes: Buffer): string {
  if (bytes.length < 2) return 'no address';
  const family = bytes.readUInt16LE(0);
  const internet = internetAddress(bytes);
  if (internet !== undefined) return internet;
  if (family === AF_UNIX) return describeUnix(bytes.subarray(2));
  return SOCKET_FAMILIES[family] ?? String(family);
}

/** A leading NUL makes the name abstract: then all of it counts, without one it ends at the first NUL. */
function describeUnix(name: Buffer): string {
  if (name.length === 0) return 'unix, unnamed';
  if (name[0] === 0) return `unix, abstract ${quoted(name.subarray(1).toString())}`;
  const end = name.indexOf(0);
  return `unix ${quoted(name.subarray(0, end < 0 ? name.length : end).toString())}`;
}
