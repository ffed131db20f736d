/** The allow-list of URL prefixes, one rule for `file:` and `http(s):`: compared by whole path parts of parsed URLs. */
import { fileURLToPath } from 'node:url';
import { redactUrl } from '#lib/jobs';

const SCHEMES = ['file:', 'http:', 'https:'];
/** Decoding more often than this finds nothing that a server would decode. */
const MAXIMUM_DECODINGS = 8;

/** An empty list allows nothing, and so does a prefix that `urlPrefixProblem` complains about. */
export function isUrlAllowed(url: string, prefixes: readonly string[]): boolean {
  const parsed = parseUrl(url);
  if (parsed === null || isAmbiguous(parsed.pathname)) return false;
  const parts = pathParts(parsed);
  return prefixes.some((text) => {
    if (urlPrefixProblem(text) !== null) return false;
    const prefix = new URL(text);
    return (
      prefix.protocol === parsed.protocol &&
      prefix.host === parsed.host &&
      prefixParts(prefix).every((part, index) => part === parts[index])
    );
  });
}

/** Why the text cannot be a prefix; null when it can. */
export function urlPrefixProblem(text: string): string | null {
  const parsed = parseUrl(text);
  if (parsed === null) return 'must be a file:, http: or https: URL';
  if (parsed.username || parsed.password) return 'must not contain a user or password';
  if (parsed.search || parsed.hash || /[?#]/.test(text)) return 'must not contain "?" or "#"';
  if (isAmbiguous(parsed.pathname)) return 'must not contain null bytes or hidden ".." parts';
  return filePath(parsed) === null && parsed.protocol === 'file:' ? 'must name a path of this machine' : null;
}

/** Null for other schemes, too. */
export function parseUrl(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  return SCHEMES.includes(url.protocol) ? url : null;
}

/** The path that a `file:` URL names on this machine; null where it names none. */
export function filePath(url: URL): string | null {
  if (url.protocol !== 'file:' || url.host !== '') return null;
  try {
    return fileURLToPath(url);
  } catch {
    return null;
  }
}

/** The paths of the `file:` prefixes. */
export function fileRoots(prefixes: readonly string[]): readonly string[] {
  return prefixes.flatMap((text) => {
    if (urlPrefixProblem(text) !== null) return [];
    const path = filePath(new URL(text));
    return path === null ? [] : [path.replace(/(?<=.)\/+$/, '')];
  });
}

/** For messages. */
export function describePrefixes(prefixes: readonly string[]): string {
  return prefixes.length === 0 ? 'none' : prefixes.map(redactUrl).join(', ');
}

/**
 * Whether a server could take the path for another one than its text shows: dot parts behind encoded slashes, encoded
 * any number of times, with path parameters ("..;" of servlet containers), and null bytes. The URL parser has resolved
 * "..", "%2e%2e" and backslashes already.
 */
function isAmbiguous(pathname: string): boolean {
  let text = pathname;
  for (let decodings = 0; decodings <= MAXIMUM_DECODINGS; decodings++) {
    if (text.includes('\0') || text.split(/[/\\]/).some((part) => /^\.\.?(;.*)?$/s.test(part))) return true;
    const decoded = text.replace(/%([0-9a-f]{2})/gi, (_match, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    if (decoded === text) return false;
    text = decoded;
  }
  return true;
}

function prefixParts(prefix: URL): readonly string[] {
  const parts = pathParts(prefix);
  return parts.at(-1) === '' ? parts.slice(0, -1) : parts;
}

/** Unreserved characters have one spelling (RFC 3986, section 6.2.2); what stays encoded equals only itself. */
function pathParts(url: URL): readonly string[] {
  return url.pathname
    .slice(1)
    .split('/')
    .map((part) =>
      part.replace(/%[0-9a-f]{2}/gi, (encoded) => {
        const character = String.fromCharCode(parseInt(encoded.slice(1), 16));
        return /[A-Za-z0-9\-._~]/.test(character) ? character : encoded.toUpperCase();
      }),
    );
}
