/** The images of this engine, those that came from a registry, and the removal of one that nothing else needs. */
import { isSameRepository } from '#lib/jobs';
import { imageListAnswer } from '../engine/answers.js';
import { type Engine } from '../engine/engine.js';
import { engineCall } from '../engine/engine-call.js';
import { engineStatus } from '../engine/engine-error.js';
import { inspectImage } from './image-configuration.js';

export interface PresentImage {
  /** `sha256:<hex>`, as the engine names it. */
  readonly imageId: string;
  /** `<repository>@sha256:<hex>`; none where no registry gave it. */
  readonly repositoryDigests: readonly string[];
  readonly tags: readonly string[];
  /** Unpacked, with the layers that it shares with others. */
  readonly bytes: number;
}

const NOT_FOUND = 404;
const CONFLICT = 409;
/** Of many images, each with labels of its own. */
const LIST_LIMIT_BYTES = 64 * 1024 * 1024;
/** How engines before API 1.43 write that there is none. */
const NO_NAME = /^<none>/;

/** @throws ExecutionError engine-error */
export async function presentImages(engine: Engine): Promise<readonly PresentImage[]> {
  const images = await engineCall('list images', () =>
    engine.json(imageListAnswer, {
      method: 'GET',
      path: ['images', 'json'],
      query: { digests: 'true' },
      limitBytes: LIST_LIMIT_BYTES,
    }),
  );
  return images.map(({ Id, RepoDigests, RepoTags, Size }) => ({
    imageId: Id,
    repositoryDigests: names(RepoDigests),
    tags: names(RepoTags),
    bytes: Size,
  }));
}

/** Imported images are not, nor those that someone gave a name outside the repositories they came from. */
export function wasPulled({ repositoryDigests, tags }: PresentImage): boolean {
  return (
    repositoryDigests.length > 0 &&
    tags.every((tag) => repositoryDigests.some((digest) => isSameRepository(digest, tag)))
  );
}

/** @throws ExecutionError engine-error */
export async function pulledImages(engine: Engine): Promise<readonly PresentImage[]> {
  return (await presentImages(engine)).filter(wasPulled);
}

/**
 * Takes its names from it, with the last of which the engine removes it. False when a container, a child image or a name
 * that was given meanwhile keeps it.
 *
 * @throws ExecutionError engine-error
 */
export async function removeImage(engine: Engine, image: PresentImage): Promise<boolean> {
  // By id the engine refuses an image of several names, and without force it keeps what a container is made of.
  for (const name of [...image.tags, ...image.repositoryDigests]) {
    if ((await imageIdOf(engine, name)) === image.imageId) await removeName(engine, name);
  }
  return (await imageIdOf(engine, image.imageId)) === undefined;
}

/** A tag may have moved to another image. */
async function imageIdOf(engine: Engine, name: string): Promise<string | undefined> {
  return unless([NOT_FOUND], async () => {
    const { Id } = await engineCall(`inspect the image ${name}`, () => inspectImage(engine, name));
    return Id;
  });
}

async function removeName(engine: Engine, name: string): Promise<void> {
  await unless([NOT_FOUND, CONFLICT], () =>
    engineCall(`remove the image ${name}`, () => engine.send({ method: 'DELETE', path: ['images', name] })),
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
