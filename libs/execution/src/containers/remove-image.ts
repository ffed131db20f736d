/** The images of this engine that came from a registry, and the removal of one that nothing else needs. */
import type Docker from 'dockerode';
import { engineCall, engineStatus } from './engine-call.js';
import { sameRepository } from './image-name.js';

export interface PulledImage {
  /** `sha256:<hex>`, as the engine names it. */
  readonly imageId: string;
  /** `<repository>@sha256:<hex>`, at least one. */
  readonly repositoryDigests: readonly string[];
  readonly tags: readonly string[];
}

const NOT_FOUND = 404;
const CONFLICT = 409;
/** How engines before API 1.43 write that there is none. */
const NO_NAME = /^<none>/;

/**
 * Imported images are not among them, nor those that someone gave a name outside the repositories they came from.
 *
 * @throws ExecutionError engine-error
 */
export async function pulledImages(docker: Docker): Promise<readonly PulledImage[]> {
  const images = await engineCall('list images', () => docker.listImages({ digests: true }));
  return images
    .map(({ Id, RepoDigests, RepoTags }) => ({
      imageId: Id,
      repositoryDigests: names(RepoDigests),
      tags: names(RepoTags),
    }))
    .filter(
      ({ repositoryDigests, tags }) =>
        repositoryDigests.length > 0 &&
        tags.every((tag) => repositoryDigests.some((digest) => sameRepository(digest, tag))),
    );
}

/**
 * Takes its names from it, with the last of which the engine removes it. False when a container, a child image or a name
 * that was given meanwhile keeps it.
 *
 * @throws ExecutionError engine-error
 */
export async function removeImage(docker: Docker, image: PulledImage): Promise<boolean> {
  // By id the engine refuses an image of several names, and without force it keeps what a container is made of.
  for (const name of [...image.tags, ...image.repositoryDigests]) {
    if ((await imageIdOf(docker, name)) === image.imageId) await removeName(docker, name);
  }
  return (await imageIdOf(docker, image.imageId)) === undefined;
}

/** A tag may have moved to another image. */
async function imageIdOf(docker: Docker, name: string): Promise<string | undefined> {
  return unless([NOT_FOUND], async () => {
    const { Id } = await engineCall(`inspect the image ${name}`, () => docker.getImage(name).inspect());
    return Id;
  });
}

async function removeName(docker: Docker, name: string): Promise<void> {
  await unless([NOT_FOUND, CONFLICT], () =>
    engineCall(`remove the image ${name}`, () => docker.getImage(name).remove({ force: false })),
  );
}

async function unless<T>(statuses: readonly number[], call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (statuses.includes(engineStatus(error) ?? 0)) return undefined;
    throw error;
  }
}

function names(listed: readonly string[] | null | undefined): readonly string[] {
  return (listed ?? []).filter((name) => !NO_NAME.test(name));
}
