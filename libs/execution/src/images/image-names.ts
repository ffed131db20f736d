/** The names that the engine has for an image, held to the one that was asked for. */
import { DOCKER_HUB, type ImageName, isSameRepository, parseImageReference } from '#lib/jobs';
import { type ImageAnswer } from '../engine/answers.js';

export function isNamed(names: readonly string[], name: ImageName): boolean {
  return names.some((text) => {
    const known = nameOf(text);
    // Podman writes "localhost/" before a name that has no registry.
    const plain =
      known?.domain === 'localhost' && name.domain === DOCKER_HUB ? nameOf(text.replace(/^localhost\//, '')) : known;
    if (plain?.domain !== name.domain || plain.path !== name.path) return false;
    return name.digest === null ? plain.tag === (name.tag ?? 'latest') : plain.digest === name.digest;
  });
}

export function nameOf(text: string): ImageName | null {
  try {
    const reference = parseImageReference(text);
    return reference.kind === 'name' ? reference : null;
  } catch {
    return null;
  }
}

export function isPulled({ RepoDigests }: ImageAnswer, name: ImageName): boolean {
  return RepoDigests.some((digest) => isSameRepository(digest, repositoryOf(name)));
}

export function digestOf({ RepoDigests }: ImageAnswer, name: ImageName): string | null {
  const ofRepository = RepoDigests.filter((digest) => isSameRepository(digest, repositoryOf(name)));
  return ofRepository.find((digest) => digest.endsWith(`@${name.digest}`)) ?? ofRepository[0] ?? null;
}

export const repositoryOf = ({ domain, path }: ImageName): string => `${domain}/${path}`;
