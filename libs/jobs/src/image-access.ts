/** Which images may be run: patterns of registries and of images that a node has, as administrators write them. */
import { DOCKER_HUB, familiarRepository, type ImageName } from './image-reference.js';

/** One level's lists: the grid's, or a tenant's. */
export interface ImageLists {
  /** `registry.example.org`, `127.0.0.1:5000`, `docker.io/library/*`; `*`: every registry with a public address. */
  readonly registries: readonly string[];
  /** Names of images that a node has without a registry: `lab/*`, `porin-test/payload`; `*`: all that no registry gave. */
  readonly local: readonly string[];
}

export interface ImageAccess {
  /** `named`: an administrator named the registry, wherever it is; `public`: it must have a public address. */
  readonly registry: 'named' | 'public' | 'refused';
  /** `named`: an administrator named the image; `any`: an image that came from no registry. */
  readonly local: 'named' | 'any' | 'refused';
}

/** What every registry or image matches. */
export const ANY = '*';
const PATTERN = /^[a-z0-9._\-/:[\]*]{1,255}$/;
export const PATTERNS_MAXIMUM = 100;
/** What the pulled images of a tenant may take on a node, unpacked, where nobody has said anything (`maxImageBytes`). */
export const DEFAULT_MAXIMUM_IMAGE_BYTES = 50 * 1024 ** 3;

/** Why a pattern can match nothing or too much; null where it is sound. */
export function imagePatternProblem(pattern: string): string | null {
  if (!PATTERN.test(pattern)) {
    return `${JSON.stringify(pattern.slice(0, 100))} must be lower-case letters, digits and . _ - / : [ ] *, at most 255`;
  }
  return pattern !== ANY && /^\**(\/|$)/.test(pattern) ? `"${pattern}" must begin with a host or a name` : null;
}

/**
 * An image must be allowed by the grid's list and by the tenant's, where the tenant has one (null: it has none). A registry
 * that either names is trusted wherever it is. `name` is null for an image that has none.
 */
export function imageAccess(name: ImageName | null, grid: ImageLists, tenant: Nullable<ImageLists>): ImageAccess {
  return {
    registry: narrower(registryWord(name, grid.registries), tenant.registries && registryWord(name, tenant.registries)),
    local: narrowerLocal(localWord(name, grid.local), tenant.local && localWord(name, tenant.local)),
  };
}

type Nullable<T> = { readonly [Member in keyof T]: T[Member] | null };

function narrower(grid: ImageAccess['registry'], tenant: ImageAccess['registry'] | null): ImageAccess['registry'] {
  if (grid === 'refused' || tenant === 'refused') return 'refused';
  return grid === 'named' || tenant === 'named' ? 'named' : 'public';
}

function narrowerLocal(grid: ImageAccess['local'], tenant: ImageAccess['local'] | null): ImageAccess['local'] {
  if (grid === 'refused' || tenant === 'refused') return 'refused';
  return grid === 'named' || tenant === 'named' ? 'named' : 'any';
}

function registryWord(name: ImageName | null, patterns: readonly string[]): ImageAccess['registry'] {
  if (name === null) return 'refused';
  const { domain, path } = name;
  const isNamed = patterns.some((pattern) => {
    if (pattern === ANY) return false;
    const [host = ''] = pattern.split('/', 1);
    const below = pattern.slice(host.length + 1);
    return matches(canonicalHost(host), domain) && (below === '' || matches(below, path));
  });
  if (isNamed) return 'named';
  return patterns.includes(ANY) ? 'public' : 'refused';
}

function localWord(name: ImageName | null, patterns: readonly string[]): ImageAccess['local'] {
  if (name === null) return patterns.includes(ANY) ? 'any' : 'refused';
  const written = familiarRepository(name);
  const full = `${name.domain}/${name.path}`;
  if (patterns.some((pattern) => pattern !== ANY && (matches(pattern, written) || matches(pattern, full))))
    return 'named';
  return patterns.includes(ANY) ? 'any' : 'refused';
}

function canonicalHost(host: string): string {
  return host === `index.${DOCKER_HUB}` ? DOCKER_HUB : host;
}

/** A star stands for any characters, slashes included. Takes time in proportion to both lengths at most. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (!text.startsWith(first)) return false;
  if (rest.length === 0) return text === first;
  const last = rest.pop() ?? '';
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - at >= last.length && text.endsWith(last);
}
