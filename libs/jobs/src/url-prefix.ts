/** The allow-lists of URL prefixes, the grid's and tenants': one rule for all schemes, by whole path parts. */
import { type DataUrl, parseDataUrl } from './data-url.js';
import { redactUrl } from './job-error.js';
import { isBelow, type PrefixTree, prefixTree } from './prefix-tree.js';

/** What one tenant's jobs may name, of inputs or of outputs. */
export interface PrefixRule {
  /** Empty: nothing. A prefix that `urlPrefixProblem` complains about allows nothing. */
  readonly prefixes: readonly string[];
  /** Prefixes of other tenants, which are theirs alone, for reading and for writing. */
  readonly foreign: readonly string[];
}

/**
 * What a prefix allows is what lies below it as it is written, and so does for every server. What is another tenant's is all
 * that some server might take for it.
 */
export function isUrlAllowed(text: string, { prefixes, foreign }: PrefixRule): boolean {
  const { url } = parseDataUrl(text);
  if (url === null) return false;
  return isBelow(writtenParts(url), listOf(prefixes).written) && !isBelow(loosestParts(url), listOf(foreign).loosest);
}

/** Why the text cannot be a prefix; null when it can. */
export function urlPrefixProblem(text: string): string | null {
  return parseDataUrl(text, 'prefix').problem;
}

/** Of the entries whose prefix the URL lies below, as it is written, the one of the longest prefix. */
export function longestPrefix<E extends { readonly prefix: string }>(
  text: string,
  entries: readonly E[],
): E | undefined {
  const { url } = parseDataUrl(text);
  if (url === null) return undefined;
  const parts = writtenParts(url);
  let longest: { readonly entry: E; readonly length: number } | undefined;
  for (const entry of entries) {
    const prefix = parseDataUrl(entry.prefix, 'prefix').url;
    if (prefix === null || !isBeginning(writtenParts(prefix), parts)) continue;
    const { length } = prefix.parts;
    if (longest === undefined || length > longest.length) longest = { entry, length };
  }
  return longest?.entry;
}

/** What both lists allow: of each two prefixes, the one that lies below the other. Null allows everything. */
export function narrowPrefixes(prefixes: readonly string[], others: readonly string[] | null): readonly string[] {
  if (others === null) return prefixes;
  const below = (lower: readonly string[], upper: readonly string[]) =>
    listOf(lower).entries.filter(({ url }) => isBelow(writtenParts(url), listOf(upper).written));
  return [...new Set([...below(prefixes, others), ...below(others, prefixes)].map(({ text }) => text))];
}

/** The first of the others below which, or above which, some server might take the prefix to lie. */
export function findOverlap(prefix: string, others: readonly string[]): string | undefined {
  const own = listOf([prefix]);
  return listOf(others).entries.find(({ url }) => {
    const parts = loosestParts(url);
    return isBelow(parts, own.loosest) || own.entries.some((entry) => isBeginning(parts, loosestParts(entry.url)));
  })?.text;
}

/** The paths of the `file:` prefixes. */
export function fileRoots(prefixes: readonly string[]): readonly string[] {
  return listOf(prefixes).entries.flatMap(({ url }) => (url.scheme === 'file' ? [url.path] : []));
}

/** For messages. */
export function describePrefixes(prefixes: readonly string[]): string {
  return `Allowed prefixes: ${prefixes.length === 0 ? 'none' : prefixes.map(redactUrl).join(', ')}`;
}

interface PrefixList {
  /** Without those that are no prefixes. */
  readonly entries: readonly { readonly text: string; readonly url: DataUrl }[];
  readonly written: PrefixTree;
  readonly loosest: PrefixTree;
}

/** A list is read-only, so what it says holds as long as it lives: reading a thousand prefixes for each URL takes seconds. */
const LISTS = new WeakMap<readonly string[], PrefixList>();

function listOf(prefixes: readonly string[]): PrefixList {
  const known = LISTS.get(prefixes);
  if (known) return known;
  const entries = prefixes.flatMap((text) => {
    const { url } = parseDataUrl(text, 'prefix');
    return url === null ? [] : [{ text, url }];
  });
  const urls = entries.map(({ url }) => url);
  const list = {
    entries,
    written: prefixTree(urls.map(writtenParts)),
    loosest: prefixTree(urls.map(loosestParts)),
  };
  LISTS.set(prefixes, list);
  return list;
}

function writtenParts({ origin, parts }: DataUrl): readonly string[] {
  return [origin, ...parts];
}

function loosestParts({ origin, loosest }: DataUrl): readonly string[] {
  return [origin, ...loosest];
}

function isBeginning(beginning: readonly string[], parts: readonly string[]): boolean {
  return beginning.every((part, index) => part === parts[index]);
}
