/** The keys by which the database finds jobs that write to the same place. */
import { createHash } from 'node:crypto';
import { type DataUrl, placeParts } from './data-url.js';

/** Of each part of a URL in a key. */
export const CLAIM_PART_BYTES = 8;

/**
 * A key begins with another one if and only if its URL may name that one's place or one below it: each part is hashed together
 * with all before it. Two URLs of equal hash (64 bits) only make a job wait for nothing.
 */
export function outputClaimKey(url: DataUrl): Buffer {
  const hash = createHash('sha256');
  const digests = placeParts(url).map((part, index) => {
    hash.update(index === 0 ? part : `/${part}`);
    return hash.copy().digest().subarray(0, CLAIM_PART_BYTES);
  });
  return Buffer.concat(digests);
}
