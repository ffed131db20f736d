/** Outputs that stand for files which only the payload's end tells: a directory with all that is below it, or a pattern. */
import { escapeName } from './data-url.js';
import { type OutputReference } from './job-specification.js';
import { pathPattern } from './path-pattern.js';

export function isSelection({ type, pathPrefix }: Pick<OutputReference, 'type' | 'pathPrefix'>): boolean {
  return type === 'DIRECTORY' || pathPrefix !== undefined;
}

/** Of the container, absolute: where the payload must be able to write for the output. */
export function outputDirectory({ path, type, pathPrefix }: Omit<OutputReference, 'url'>): string {
  if (pathPrefix !== undefined) return pathPattern(path).directory;
  return type === 'DIRECTORY' ? path : path.slice(0, path.lastIndexOf('/')) || '/';
}

/**
 * The URL of what lies below the output's own. The database computes the same (libs/database/src/functions/node/publication.ts).
 * @param rest Relative, names separated by slashes. Every character that is not unreserved (RFC 3986, section 2.3) is escaped.
 * @example childUrl('file:///data', 'a/b 1%.edf') // 'file:///data/a/b%201%25.edf'
 */
export function childUrl(url: string, rest: string): string {
  return `${url}/${rest.split('/').map(escapeName).join('/')}`;
}
