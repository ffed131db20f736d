/**
 * The one grammar of image references: that of the distribution specification (github.com/distribution/reference), with
 * names in lower case only, digests of SHA-256 and SHA-512, and the image ids of an engine.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { SPECIFICATION_BOUNDS } from './job-specification.js';

export interface ImageName {
  readonly kind: 'name';
  /** Host of the registry, with its port where one is given. Docker Hub's is `docker.io`, also where no host is written. */
  readonly domain: string;
  /** Below the registry; Docker Hub's own images have it begin with `library/`. */
  readonly path: string;
  readonly tag: string | null;
  /** `sha256:<hex>` */
  readonly digest: string | null;
}

/** An image that a node has, by the name that its engine made from the content. */
export interface ImageId {
  readonly kind: 'id';
  /** `sha256:<64 hex>` */
  readonly id: string;
}

export type ImageReference = ImageName | ImageId;

/** `detail` is a part of a sentence: "the image ... is not a valid reference: <detail>". */
export class ImageReferenceError extends Error {
  override readonly name = 'ImageReferenceError';
  readonly code = 'image-invalid';
}

export const DOCKER_HUB = 'docker.io';

const NAME_CHARACTERS = 255;
const ALLOWED = /^[a-zA-Z0-9._\-/:@[\]]*$/;
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const DOMAIN_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
const ID = /^sha256:[0-9a-f]{64}$/;
const HEXADECIMAL_ID = /^[0-9a-f]{64}$/;

/**
 * @throws ImageReferenceError
 * @example parseImageReference('edf:2'); // { kind: 'name', domain: 'docker.io', path: 'library/edf', tag: '2', digest: null }
 */
export function parseImageReference(text: string): ImageReference {
  if (text === '') throw new ImageReferenceError('it is empty');
  if (text.length > SPECIFICATION_BOUNDS.imageCharacters) {
    throw new ImageReferenceError(`it is longer than ${SPECIFICATION_BOUNDS.imageCharacters} characters`);
  }
  if (!ALLOWED.test(text)) {
    throw new ImageReferenceError('only letters, digits and the characters . _ - / : @ may be in it');
  }
  if (ID.test(text)) return { kind: 'id', id: text };
  if (/^sha(256|512):/.test(text)) {
    throw new ImageReferenceError('an image id is "sha256:" and 64 lower-case hexadecimal digits');
  }
  const { name, tag, digest } = split(text);
  if (digest !== null && !DIGEST.test(digest)) {
    throw new ImageReferenceError('a digest is "@sha256:" and 64 lower-case hexadecimal digits, at the end');
  }
  if (tag !== null && !TAG.test(tag)) {
    throw new ImageReferenceError(
      'a tag has at most 128 letters, digits, "_", "." and "-", and begins with none of the last two',
    );
  }
  return { kind: 'name', ...place(name), tag, digest };
}

/** The sentence's end for whoever wrote the reference; null where it is sound. */
export function imageReferenceProblem(text: string): string | null {
  try {
    parseImageReference(text);
    return null;
  } catch (error) {
    if (error instanceof ImageReferenceError) return error.message;
    throw error;
  }
}

/** `<domain>/<path>`, whichever way it was written. Null for an id, and for what is no reference. */
export function imageRepository(text: string): string | null {
  try {
    const reference = parseImageReference(text);
    return reference.kind === 'name' ? `${reference.domain}/${reference.path}` : null;
  } catch {
    return null;
  }
}

/** Engines write Docker Hub's names short or long, as users do. */
export function isSameRepository(one: string, other: string): boolean {
  const repository = imageRepository(one);
  return repository !== null && repository === imageRepository(other);
}

/** As engines show it: Docker Hub's names without their host. */
export function familiarRepository({ domain, path }: ImageName): string {
  if (domain !== DOCKER_HUB) return `${domain}/${path}`;
  return path.replace(/^library\/(?=[^/]+$)/, '');
}

/** With a tag, "latest" where the reference has neither tag nor digest: engines would pull every tag of the repository. */
export function pullReference(name: ImageName): string {
  const { tag, digest } = name;
  if (digest !== null) return `${familiarRepository(name)}@${digest}`;
  return `${familiarRepository(name)}:${tag ?? 'latest'}`;
}

function split(text: string): { name: string; tag: string | null; digest: string | null } {
  const at = text.indexOf('@');
  const digest = at < 0 ? null : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  // A colon before the last slash belongs to a registry's port.
  const colon = named.lastIndexOf(':');
  if (colon <= named.lastIndexOf('/')) return { name: named, tag: null, digest };
  return { name: named.slice(0, colon), tag: named.slice(colon + 1), digest };
}

/** A first part is a registry's host where it has a dot or a port, or is "localhost"; else the name is Docker Hub's. */
function place(name: string): { domain: string; path: string } {
  if (name.length > NAME_CHARACTERS) {
    throw new ImageReferenceError(`its name is longer than ${NAME_CHARACTERS} characters`);
  }
  if (/[A-Z]/.test(name)) throw new ImageReferenceError('its name has upper-case letters; only tags may have them');
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = /[.:[\]]/.test(first) || first === 'localhost';
  const domain = isHost ? first : DOCKER_HUB;
  const path = isHost ? name.slice(slash + 1) : name;
  checkDomain(domain);
  if (HEXADECIMAL_ID.test(path) && !isHost) {
    throw new ImageReferenceError(
      '64 hexadecimal digits alone are no name; write "sha256:" before them for an image id',
    );
  }
  for (const component of path.split('/')) checkComponent(component);
  const isHub = domain === DOCKER_HUB || domain === `index.${DOCKER_HUB}`;
  if (!isHub) return { domain, path };
  return { domain: DOCKER_HUB, path: path.includes('/') ? path : `library/${path}` };
}

function checkDomain(domain: string): void {
  const [, host = '', , port] = /^(\[[^\]]*\]|[^:[\]]*)(:(\d{1,5}))?$/.exec(domain) ?? [];
  const isHost = host.startsWith('[')
    ? isIPv6(host.slice(1, -1)) && !host.includes('%')
    : isIPv4(host) || (DOMAIN_NAME.test(host) && !/^[\d.]+$/.test(host));
  if (!isHost) throw new ImageReferenceError(`"${domain}" is not the host of a registry`);
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) {
    throw new ImageReferenceError(`${port} is not a port`);
  }
}

function checkComponent(component: string): void {
  if (PATH_COMPONENT.test(component)) return;
  throw new ImageReferenceError(
    component === ''
      ? 'a part between slashes of its name is empty'
      : `"${component}" in its name must be lower-case letters and digits, with ".", "_", "__" or "-" between them`,
  );
}
