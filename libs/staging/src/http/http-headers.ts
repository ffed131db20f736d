/** What the headers of an answer say of its body (RFC 9110). */
import { type HttpAnswer } from './http-client.js';

type Header = string | string[] | undefined;

/** Bytes of the body; null where the server does not say. */
export function lengthOf(header: Header): number | null {
  return typeof header === 'string' && /^\d+$/.test(header) ? Number(header) : null;
}

/** Offset of a part that was asked for; undefined where the answer is no part. */
export function rangeStart({ statusCode, headers }: Pick<HttpAnswer, 'statusCode' | 'headers'>): number | undefined {
  const text = headers['content-range'];
  const start = typeof text === 'string' ? /^bytes (\d+)-/.exec(text)?.[1] : undefined;
  return statusCode === 206 && start !== undefined ? Number(start) : undefined;
}

/** Whether the server leaves it to others to keep a copy (RFC 9111, section 5.2.2.5). */
export function mayBeKept(cacheControl: Header): boolean {
  return !/\bno-store\b/i.test(String(cacheControl));
}

/** A validator of which equal ones mean equal bytes; undefined for a weak one, one that says nothing, and one that no request may send. */
export function strongEtag(header: Header): string | undefined {
  return typeof header === 'string' && /^"[\x20\x21\x23-\x7e\x80-\xff]+"$/.test(header) ? header : undefined;
}
