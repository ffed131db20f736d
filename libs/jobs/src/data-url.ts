/** The URL of a data reference, parsed once for the API and for the worker: what it may look like, and what it names. */
import { SPECIFICATION_BOUNDS } from './job-specification.js';
import { ambiguityProblem, DOT_PARTS, loosestParts } from './loosest-view.js';

interface Place {
  /** `file://`, scheme and bucket, or scheme, host and port. */
  readonly origin: string;
  /** Of the path, as it is written, but for escapes that mean nothing: what a prefix allows is held to these. */
  readonly parts: readonly string[];
  /** Of the path, as the most lenient server reads it: what must be kept apart is held to these. */
  readonly loosest: readonly string[];
  /** With its question mark; empty without one. */
  readonly query: string;
}
export interface FileUrl extends Place {
  readonly scheme: 'file';
  /** Absolute, on the node. */
  readonly path: string;
}
export interface HttpUrl extends Place {
  readonly scheme: 'http' | 'https';
  readonly url: URL;
}
export interface S3Url extends Place {
  readonly scheme: 's3';
  readonly bucket: string;
  /** Without escapes; empty in a prefix that is a whole bucket. */
  readonly key: string;
}
export interface DrsUrl extends Place {
  readonly scheme: 'drs';
  /** With its port, if it has one. */
  readonly host: string;
  /** Without escapes; empty in a prefix that is a whole server. */
  readonly id: string;
}
export type DataUrl = FileUrl | HttpUrl | S3Url | DrsUrl;

/** `problem` says how to write it instead, in words that follow "must" or stand alone. */
export type ParsedUrl =
  { readonly url: DataUrl; readonly problem: null } | { readonly url: null; readonly problem: string };

/** What a URL is for: a prefix may end with a slash and has no query; all others name one file. */
export type UrlUse = 'reference' | 'prefix';

/** NAME_MAX and PATH_MAX of Linux; and of parts, because every one makes the key of a claim longer. */
const URL_BOUNDS = { parts: 100, partBytes: 255, pathBytes: SPECIFICATION_BOUNDS.pathBytes } as const;

/** The rules of AWS for general purpose buckets, of which other servers' are part. */
const S3_BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const S3_KEY_BYTES = 1024;

/** Of names beside a target while an output is staged (libs/staging). */
const STAGING_NAME = /^\.porin-.*\.part$/;

/**
 * Nothing is repaired: what `new URL` would drop, resolve or take for another character is a problem here, so that two
 * readers never see two files in one text. Example: `file:///data/a%231.edf` names `/data/a#1.edf`.
 */
export function parseDataUrl(text: string, use: UrlUse = 'reference'): ParsedUrl {
  const scheme = /^(file|https?|s3|drs):/i.exec(text)?.[1]?.toLowerCase() as DataUrl['scheme'] | undefined;
  if (scheme === undefined) return refuse('must be a file:, http:, https:, s3: or drs: URL');
  const problem = spellingProblem(text);
  if (problem !== null) return refuse(problem);
  const rest = text.slice(scheme.length + 1);
  switch (scheme) {
    case 'file':
      return parseFile(rest, use);
    case 's3':
      return parseS3(rest, use);
    case 'drs':
      return parseDrs(rest, use);
    default:
      return parseHttp(scheme, rest, use);
  }
}

/**
 * Equal for URLs that may name the same place, and a beginning of those that may lie below it. A query is a part of its own:
 * what only queries tell apart, the server must tell apart.
 */
export function placeParts({ origin, loosest, query }: DataUrl): readonly string[] {
  // No part of a path has a slash. Servers take an empty query for none.
  return [origin, ...loosest, ...(query.length > 1 ? [`/${query}`] : [])];
}

function parseFile(rest: string, use: UrlUse): ParsedUrl {
  if (!rest.startsWith('///')) return refuse('must have no host: write file:/// and the path');
  if (rest.includes('?')) return refuse('must not contain a raw "?": write %3F');
  if (/%2f/i.test(rest)) return refuse('must not contain %2F: no file name has a slash');
  const names = decodeParts(rest.slice(3));
  if (names === null) return refuse('has escapes that are no UTF-8');
  if (names.at(-1) === '') {
    if (use === 'reference') return refuse('must name a file: it ends with "/"');
    names.pop();
  }
  if (names.includes('')) return refuse('must not contain "//"');
  if (names.some((name) => name === '.' || name === '..')) return refuse(DOT_PARTS);
  const path = `/${names.join('/')}`;
  const problem = pathProblem(path, names);
  if (problem !== null) return refuse(problem);
  const parts = names.map((name) => encodeURIComponent(name));
  return { url: { scheme: 'file', origin: 'file://', parts, loosest: parts, query: '', path }, problem: null };
}

/** Names are held to what file systems keep apart too: there are servers that store objects as files. */
function parseS3(rest: string, use: UrlUse): ParsedUrl {
  const [, bucket = '', path] = /^\/\/([^/?]*)(?:\/(.*))?$/s.exec(rest) ?? [];
  if (!S3_BUCKET.test(bucket) || bucket.includes('..')) {
    return refuse('must be written s3://bucket/key, with a bucket of 3 to 63 lower-case letters, digits, "-" and "."');
  }
  const { names, problem } = namesIn(path ?? '', use);
  if (problem !== null) return refuse(problem);
  const key = names.join('/');
  if (Buffer.byteLength(key) > S3_KEY_BYTES) return refuse(`must not have a key of more than ${S3_KEY_BYTES} bytes`);
  const parts = names.map((name) => encodeURIComponent(name));
  return {
    url: { scheme: 's3', origin: `s3://${bucket}`, parts, loosest: parts, query: '', bucket, key },
    problem: null,
  };
}

/** GA4GH DRS 1.5, hostname-based URIs. A compact identifier has a colon that begins no port. */
function parseDrs(rest: string, use: UrlUse): ParsedUrl {
  const [, host = '', path] = /^\/\/([^/?]*)(?:\/(.*))?$/s.exec(rest) ?? [];
  if (/:(?!\d+$)/.test(host.replace(/^\[[^\]]*\]/, '')) || path?.includes(':')) {
    return refuse(
      'must name a server: compact identifiers (drs://prefix:accession) are not resolved, write drs://host/id',
    );
  }
  if (host === '' || host.includes('@') || !URL.canParse(`https://${host}`))
    return refuse('must be written drs://host/id');
  const { names, problem } = namesIn(path ?? '', use);
  if (problem !== null) return refuse(problem);
  const { host: normal } = new URL(`https://${host}`);
  const parts = names.map((name) => encodeURIComponent(name));
  const place = { origin: `drs://${normal}`, parts, loosest: parts, query: '' };
  return { url: { scheme: 'drs', ...place, host: normal, id: names.join('/') }, problem: null };
}

type Names = { readonly names: string[]; readonly problem: null } | { readonly names: null; readonly problem: string };

/** The parts of an object's name, decoded. Empty for a prefix that is a whole bucket or server. */
function namesIn(path: string, use: UrlUse): Names {
  const fail = (problem: string): Names => ({ names: null, problem });
  if (path.includes('?')) return fail('must not contain a raw "?": write %3F');
  if (/%2f/i.test(path)) return fail('must not contain %2F: write "/"');
  const names = decodeParts(path);
  if (names === null) return fail('has escapes that are no UTF-8');
  if (names.at(-1) === '') {
    if (use === 'reference') return fail(path === '' ? 'must name an object' : 'must name an object: it ends with "/"');
    names.pop();
  }
  if (names.includes('')) return fail('must not contain "//"');
  if (names.some((name) => name === '.' || name === '..')) return fail(DOT_PARTS);
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  if (names.some((name) => /[\0-\x1f\x7f]/.test(name)))
    return fail('must not contain control characters, escaped ones included');
  return names.length > URL_BOUNDS.parts ? fail(TOO_MANY_PARTS) : { names, problem: null };
}

function decodeParts(path: string): string[] | null {
  try {
    return path.split('/').map(decodeURIComponent);
  } catch {
    return null;
  }
}

function pathProblem(path: string, names: readonly string[]): string | null {
  if (names.some((name) => Buffer.byteLength(name) > URL_BOUNDS.partBytes)) {
    return `must not have a name of more than ${URL_BOUNDS.partBytes} bytes`;
  }
  if (Buffer.byteLength(path) > URL_BOUNDS.pathBytes) return `must not be longer than ${URL_BOUNDS.pathBytes} bytes`;
  if (names.length > URL_BOUNDS.parts) return TOO_MANY_PARTS;
  return names.some((name) => STAGING_NAME.test(name)) ? 'must not name .porin-*.part, which Porin uses itself' : null;
}

function parseHttp(scheme: HttpUrl['scheme'], rest: string, use: UrlUse): ParsedUrl {
  if (!/^\/\/[^/]/.test(rest)) return refuse(`must be written ${scheme}://host/path`);
  const text = `${scheme}:${rest}`;
  if (!URL.canParse(text)) return refuse('must be a valid URL');
  const url = new URL(text);
  if (use === 'prefix' && (url.username || url.password)) return refuse('must not contain a user or password');
  if (use === 'prefix' && rest.includes('?')) return refuse('must not contain "?" or "#"');
  // As it was written: the parser has resolved these.
  const written = /^\/\/[^/?]*([^?]*)/.exec(rest)?.[1] ?? '';
  const problem = ambiguityProblem(written);
  if (problem !== null) return refuse(problem);
  const parts = pathParts(url);
  if (use === 'prefix' && parts.at(-1) === '') parts.pop();
  const loosest = loosestParts(url.pathname);
  if (Math.max(parts.length, loosest.length) > URL_BOUNDS.parts) return refuse(TOO_MANY_PARTS);
  // An empty query is one: servers see the question mark.
  const query = rest.includes('?') ? url.search || '?' : '';
  return { url: { scheme, origin: url.origin, parts, loosest, query, url }, problem: null };
}

const TOO_MANY_PARTS = `must not have more than ${URL_BOUNDS.parts} parts`;

/** What no URL of ours may contain, and what to write instead. */
function spellingProblem(text: string): string | null {
  const { urlCharacters } = SPECIFICATION_BOUNDS;
  if (text.length > urlCharacters) return `must not be longer than ${urlCharacters} characters`;
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  const control = /[\0-\x1f\x7f]/.exec(text)?.[0];
  if (control === '\0' || /%00/.test(text)) return 'must not contain null bytes';
  if (control !== undefined) {
    const code = control.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
    return `must not contain the raw control character U+00${code}: write %${code}`;
  }
  if (/\p{Cs}/u.test(text)) return 'must not contain halves of characters';
  if (text.endsWith(' ')) return 'must not end with a raw blank: write %20';
  if (text.includes('\\')) return 'must not contain a raw "\\": write %5C, or "/" between directories';
  if (text.includes('#')) return 'must not contain a raw "#": write %23';
  if (/%(?![0-9a-f]{2})/i.test(text)) return 'has a "%" that begins no escape: write %25';
  return null;
}

/** Unreserved characters have one spelling (RFC 3986, section 6.2.2); what stays encoded equals only itself. */
function pathParts(url: URL): string[] {
  const path = url.pathname.slice(1).replace(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : encoded.toUpperCase();
  });
  return path.split('/');
}

function refuse(problem: string): ParsedUrl {
  return { url: null, problem };
}

/** Whether a directory is what an archive of this URL holds. A query hides it: the name is not the server's. */
export function isArchive(url: string): boolean {
  return /\.(tar|tar\.gz|tgz)$/i.test(url);
}

/** Every character that is not unreserved (RFC 3986, section 2.3), and so a slash too. */
export function escapeName(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
