/** The keys by which the database finds jobs that write to the same place. */
import { createHash } from 'node:crypto';
import { canonicalUrl, type DataUrl } from './data-url.js';

/** Of each part of a URL in a key. */
export const CLAIM_PART_BYTES = 8;

/**
 * A key begins with another one if and only if its URL is that one's or lies below it: each part is hashed together with all
 * before it. A URL with a query is one part. Two URLs of equal hash (64 bits) only make a job wait for nothing.
 */
export function outputClaimKey(url: DataUrl): Buffer {
  if (url.query !== '') return digestOf(canonicalUrl(url));
  const ways = [url.origin, ...url.parts.map((_, index) => `${url.origin}/${url.parts.slice(0, index + 1).join('/')}`)];
  return Buffer.concat(ways.map(digestOf));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, CLAIM_PART_BYTES);
}
