/** Holds an input to the size and the checksum that a server has announced for it. */
import { createHash } from 'node:crypto';
import { HttpFailure } from '../failure.js';
import { type InputSource } from '../inputs/input-source.js';
import { type DrsObject } from './drs-answer.js';

/** Names of DRS and IANA's registry, best first, and node's. */
const ALGORITHMS: readonly (readonly [string, string])[] = [
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
  ['sha-384', 'sha384'],
  ['sha3-256', 'sha3-256'],
  ['sha3-512', 'sha3-512'],
  ['sha-1', 'sha1'],
  ['md5', 'md5'],
];

interface Announced {
  /** As the server names it. */
  readonly name: string;
  readonly algorithm: string;
  /** Lower-case hexadecimal. */
  readonly digest: string;
}

/** The best of the checksums that can be computed here. */
function announcedChecksum({ checksums }: Pick<DrsObject, 'checksums'>): Announced | undefined {
  for (const [name, algorithm] of ALGORITHMS) {
    const found = checksums?.find(({ type }) => [name, algorithm].includes(type.toLowerCase()));
    if (found) return { name, algorithm, digest: found.checksum.toLowerCase() };
  }
  return undefined;
}

/** Its chunks end with HttpFailure where they are not what was announced; with DamagedFile where they are the cache's. */
export function asAnnounced(source: InputSource, object: Pick<DrsObject, 'checksums' | 'size'>): InputSource {
  const { size } = object;
  const checksum = announcedChecksum(object);
  const hash = checksum && createHash(checksum.algorithm);
  const otherwise = (detail: string) => source.cached?.damaged() ?? new HttpFailure(detail);
  const chunks = async function* (): AsyncGenerator<Uint8Array, void, void> {
    let bytes = 0;
    for await (const chunk of source.chunks) {
      hash?.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
    if (size != null && size !== bytes) throw otherwise(`it has ${bytes} bytes, and its DRS server says ${size}`);
    const actual = hash?.digest('hex');
    if (checksum === undefined || actual === checksum.digest) return;
    throw otherwise(`its ${checksum.name} is ${actual}, and its DRS server says ${checksum.digest}`);
  };
  const { version, cached } = source;
  return { chunks: chunks(), bytes: source.bytes ?? size ?? null, close: () => source.close(), version, cached };
}
