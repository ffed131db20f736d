/** The URL of a data reference, parsed once for the API and for the worker: what it may look like, and what it names. */
import { SPECIFICATION_BOUNDS } from './job-specification.js';
import { ambiguityProblem, DOT_PARTS, loosestParts } from './loosest-view.js';

interface Place {
  /** `file://`, or scheme, host and port. */
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
export type DataUrl = FileUrl | HttpUrl;

/** `problem` says how to write it instead, in words that follow "must" or stand alone. */
export type ParsedUrl =
  { readonly url: DataUrl; readonly problem: null } | { readonly url: null; readonly problem: string };

/** What a URL is for: a prefix may end with a slash and has no query; all others name one file. */
export type UrlUse = 'reference' | 'prefix';

/** NAME_MAX and PATH_MAX of Linux; and of parts, because every one makes the key of a claim longer. */
const URL_BOUNDS = { parts: 100, partBytes: 255, pathBytes: SPECIFICATION_BOUNDS.pathBytes } as const;

/** Of names beside a target while an output is staged (libs/staging). */
const STAGING_NAME = /^\.porin-.*\.part$/;

/**
 * Nothing is repaired: what `new URL` would drop, resolve or take for another character is a problem here, so that two
 * readers never see two files in one text. Example: `file:///data/a%231.edf` names `/data/a#1.edf`.
 */
export function parseDataUrl(text: string, use: UrlUse = 'reference'): ParsedUrl {
  const scheme = /^(file|https?):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return refuse('must be a file:, http: or https: URL');
  const problem = spellingProblem(text);
  if (problem !== null) return refuse(problem);
  const rest = text.slice(scheme.length + 1);
  return scheme === 'file' ? parseFile(rest, use) : parseHttp(scheme as HttpUrl['scheme'], rest, use);
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
