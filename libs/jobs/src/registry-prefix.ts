/** Which images a credential of a registry is for: `registry.example.org/` or `registry.example.org/team/`. */
import { DOCKER_HUB, type ImageName, imageReferenceProblem, parseImageReference } from './image-reference.js';

interface RegistryPrefix {
  readonly domain: string;
  /** Empty, or with a slash at its end. */
  readonly path: string;
}

/** Of two parts, so that Docker Hub's own `library/` is not put before it. */
const BELOW = 'a/a';

/** Why the text cannot be such a prefix; null when it can. */
export function registryPrefixProblem(text: string): string | null {
  if (!text.endsWith('/')) return 'must end with "/": what lies below it is meant';
  const problem = imageReferenceProblem(`${text}${BELOW}`);
  if (problem !== null) return `is not the beginning of an image: ${problem}`;
  const [host = ''] = text.split('/', 1);
  const isHost = host.endsWith(DOCKER_HUB) || parse(text)?.domain === host;
  return isHost ? null : 'must begin with the host of a registry, such as registry.example.org/ or docker.io/';
}

/** False for a prefix that `registryPrefixProblem` complains about. */
export function isBelowRegistryPrefix({ domain, path }: ImageName, prefix: string): boolean {
  if (registryPrefixProblem(prefix) !== null) return false;
  const wanted = parse(prefix);
  return wanted?.domain === domain && path.startsWith(wanted.path);
}

/** An image below the prefix, to ask whether its registry is allowed. Null for what is no prefix. */
export function imageBelow(prefix: string): ImageName | null {
  const reference = registryPrefixProblem(prefix) === null ? parseImageReference(`${prefix}${BELOW}`) : null;
  return reference?.kind === 'name' ? reference : null;
}

function parse(prefix: string): RegistryPrefix | undefined {
  const reference = parseImageReference(`${prefix}${BELOW}`);
  if (reference.kind !== 'name') return undefined;
  return { domain: reference.domain, path: reference.path.slice(0, -BELOW.length) };
}
