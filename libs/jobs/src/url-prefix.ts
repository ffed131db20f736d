/** The allow-lists of URL prefixes, the grid's and tenants': one rule for `file:` and `http(s):`, by whole path parts. */
import { type DataUrl, parseDataUrl } from './data-url.js';
import { redactUrl } from './job-error.js';

/** What one tenant's jobs may name, of inputs or of outputs. */
export interface PrefixRule {
  /** Empty: nothing. A prefix that `urlPrefixProblem` complains about allows nothing. */
  readonly prefixes: readonly string[];
  /** Prefixes of other tenants, which are theirs alone, for reading and for writing. */
  readonly foreign: readonly string[];
}

export function isUrlAllowed(text: string, { prefixes, foreign }: PrefixRule): boolean {
  const { url } = parseDataUrl(text);
  return url !== null && isBelowAny(url, prefixes) && !isBelowAny(url, foreign);
}

/** Why the text cannot be a prefix; null when it can. */
export function urlPrefixProblem(text: string): string | null {
  return parseDataUrl(text, 'prefix').problem;
}

/** What both lists allow: of each two prefixes, the one that lies below the other. Null allows everything. */
export function narrowPrefixes(prefixes: readonly string[], others: readonly string[] | null): readonly string[] {
  if (others === null) return prefixes;
  const pairs = prefixes.flatMap((a) => others.map((b): readonly [string, string] => [a, b]));
  return [...new Set(pairs.flatMap(([a, b]) => (lies(a, b) ? [a] : lies(b, a) ? [b] : [])))];
}

/** Whether a URL can lie below both. */
export function prefixesOverlap(a: string, b: string): boolean {
  return lies(a, b) || lies(b, a);
}

/** The paths of the `file:` prefixes. */
export function fileRoots(prefixes: readonly string[]): readonly string[] {
  return prefixes.flatMap((text) => {
    const { url } = parseDataUrl(text, 'prefix');
    return url?.scheme === 'file' ? [url.path] : [];
  });
}

/** For messages. */
export function describePrefixes(prefixes: readonly string[]): string {
  return `Allowed prefixes: ${prefixes.length === 0 ? 'none' : prefixes.map(redactUrl).join(', ')}`;
}

function lies(lower: string, upper: string): boolean {
  const { url } = parseDataUrl(lower, 'prefix');
  return url !== null && isBelowAny(url, [upper]);
}

function isBelowAny(url: DataUrl, prefixes: readonly string[]): boolean {
  return prefixes.some((text) => {
    const prefix = parseDataUrl(text, 'prefix').url;
    return prefix?.origin === url.origin && prefix.parts.every((part, index) => part === url.parts[index]);
  });
}
