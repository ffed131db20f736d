/** Paths of rules and recordings as text: absolute and normalised, or below a variable. */
import { PATH_VARIABLES } from '../model/files.js';

/** PATH_MAX of linux/limits.h, without the NUL at the end. */
export const PATH_MAXIMUM_BYTES = 4095;

/** Names in a path. No image is that deep; without a bound, one that is made to be would cost a reader of its recordings dear. */
export const PATH_MAXIMUM_NAMES = 64;

/** What keeps a text from being an absolute, normalised path; undefined if nothing does. */
export function pathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'must be absolute';
  if (path.includes('\0')) return 'must not hold NUL';
  // A lone surrogate has no UTF-8 form, and no canonical JSON either.
  if (/\p{Surrogate}/u.test(path)) return 'must not hold a lone surrogate';
  if (Buffer.byteLength(path) > PATH_MAXIMUM_BYTES) return `must have at most ${PATH_MAXIMUM_BYTES} bytes`;
  if (path === '/') return undefined;
  const parts = path.slice(1).split('/');
  if (parts.includes('')) return 'must not have "//" or a "/" at its end';
  if (parts.some((part) => part === '.' || part === '..')) return 'must not have "." or ".." in it';
  if (parts.length > PATH_MAXIMUM_NAMES) return `must have at most ${PATH_MAXIMUM_NAMES} names`;
  return undefined;
}

/** Whether it is a variable or below one, which no path in a container is: those begin with "/". */
export function isVariable(path: string): boolean {
  return variableOf(path) !== undefined;
}

/** The variable that the path begins with. */
export function variableOf(path: string) {
  return PATH_VARIABLES.find((variable) => path === variable || path.startsWith(`${variable}/`));
}

/** The directory that a name is in; undefined for "/" and for a variable. */
export function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf('/');
  if (path === '/' || slash === -1) return undefined;
  return slash === 0 ? '/' : path.slice(0, slash);
}

/** The path and the directories above it, upwards. */
export function upwards(path: string): readonly string[] {
  const paths = [];
  for (let at: string | undefined = path; at !== undefined; at = parentOf(at)) paths.push(at);
  return paths;
}

export function isAtOrBelow(path: string, tree: string): boolean {
  return path === tree || path.startsWith(tree === '/' ? tree : `${tree}/`);
}
