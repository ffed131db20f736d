/** Canonical JSON (RFC 8785) of what profiles are made of, and its SHA-256: one value, one text, one digest. */
import { createHash } from 'node:crypto';

/** RFC 8785 for safe integers only; fractions, which profiles do not have, are refused rather than rounded. */
export type CanonicalValue =
  string | number | boolean | null | readonly CanonicalValue[] | { readonly [member: string]: CanonicalValue };

/** `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = `sha256:${string}`;

/**
 * Members sorted by UTF-16 code units, no white space, ECMAScript's own string escapes (RFC 8785, section 3.2).
 * @throws TypeError for what JSON or this subset cannot say: undefined, fractions, -0, lone surrogates, other objects
 */
export function canonicalJson(value: CanonicalValue): string {
  return serialize(value, '$');
}

export function digestOf(value: CanonicalValue): Digest {
  return sha256(canonicalJson(value));
}

/** Of the UTF-8 bytes of the text. */
export function sha256(text: string): Digest {
  return `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;
}

export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

function serialize(value: unknown, at: string): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return text(value, at);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new TypeError(`${at} is not a safe integer`);
    return String(value);
  }
  if (Array.isArray(value))
    return `[${Array.from(value, (item, index) => serialize(item, `${at}[${index}]`)).join(',')}]`;
  if (typeof value === 'object' && isPlain(value)) {
    // The default order of sort() is that of UTF-16 code units, as section 3.2.3 demands.
    const members = Object.keys(value).sort();
    return `{${members.map((name) => `${text(name, at)}:${serialize((value as Record<string, unknown>)[name], `${at}.${name}`)}`).join(',')}}`;
  }
  throw new TypeError(`${at} is no JSON value`);
}

function text(value: string, at: string): string {
  // A lone surrogate has no UTF-8 form, so two texts would share one digest (section 3.2.2.2: must be an error).
  if (/\p{Surrogate}/u.test(value)) throw new TypeError(`${at} holds a lone surrogate`);
  return JSON.stringify(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
