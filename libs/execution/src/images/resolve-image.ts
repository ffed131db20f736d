/**
 * From an image reference to the image on this node: it is found or pulled, and said what it is. What cannot change is taken as it
 * is here, a tag as the registry has it.
 */
import { type ImageName, parseImageReference, pullReference, shownName } from '#lib/jobs';
import { architectureOfGoarch, type ImageContent, nodeArchitecture } from '#lib/profiles';
import { type ImageAnswer } from '../engine/answers.js';
import { type Engine } from '../engine/engine.js';
import { engineStatus } from '../engine/engine-error.js';
import {
  askRegistry,
  checkRegistry,
  hideRepository,
  mayRunPresent,
  nameToRun,
  requireSight,
  unhideRepository,
} from './image-access.js';
import { inspectImage, textProblem, toImageConfiguration, volumesProblem } from './image-configuration.js';
import { ImageError } from './image-error.js';
import { digestOf, isNamed } from './image-names.js';
import { type ImageSource, type ResolveImageOptions } from './image-source.js';
import { pullImage } from './pull-image.js';
import { PullWatch, tooLarge } from './pull-watch.js';
import { registryCredentialFor } from './registry-credential.js';
import { presentImages } from './remove-image.js';
import { toImageError } from './to-image-error.js';

export interface ResolvedImage {
  /** `sha256:<hex>`, as the engine names it. */
  readonly imageId: string;
  /** `<repository>@sha256:<hex>`; null for an image that came from no registry. */
  readonly repositoryDigest: string | null;
  readonly content: ImageContent;
  /** Paths of its VOLUMEs. */
  readonly volumes: readonly string[];
}

const NOT_FOUND = 404;

/**
 * Pulls what is not there, and the tag of an image that came from a registry, because it may have moved. A registry that
 * cannot be asked is an error then: an older content must not be run in silence.
 *
 * @throws ImageError, `image-pull-failed` too when the signal is aborted meanwhile
 */
export async function resolveImage(
  source: ImageSource,
  reference: string,
  options: ResolveImageOptions,
): Promise<ResolvedImage> {
  try {
    return await resolve(source, reference, options);
  } catch (error) {
    throw toImageError(error);
  }
}

/** Whether the image is here, or its registry has it, and may be run: nothing is pulled. Throws ImageError where not. */
export async function findImage(source: ImageSource, reference: string, options: ResolveImageOptions): Promise<void> {
  try {
    const name = parseImageReference(reference);
    const { engine } = source;
    if (name.kind === 'id') return void (await resolve(source, reference, options));
    const present = await findNamed(engine, name, options.signal);
    if (present && (await mayRunPresent(source, name, present, options))) {
      await requireSight(source, present, name, options);
      return void toResolved(present, digestOf(present, name));
    }
    await checkRegistry(source, name, options);
    await askRegistry(source, name, options);
  } catch (error) {
    throw toImageError(error);
  }
}

async function resolve(source: ImageSource, text: string, options: ResolveImageOptions): Promise<ResolvedImage> {
  const { engine } = source;
  const reference = parseImageReference(text);
  if (reference.kind === 'id') {
    const image = await find(engine, reference.id, options.signal);
    if (!image) throw noSuchId();
    const name = await nameToRun(source, image, options);
    if (name) await requireSight(source, image, name, options);
    if (name && !(await isKept(image, name, options))) throw noSuchId();
    return toResolved(image, image.RepoDigests[0] ?? null);
  }
  const present = await findNamed(engine, reference, options.signal);
  if (present && (await mayRunPresent(source, reference, present, options))) {
    await requireSight(source, present, reference, options);
    if (await isKept(present, reference, options)) return toResolved(present, digestOf(present, reference));
  }
  await checkRegistry(source, reference, options);
  const pulled = await source.turn.take(options.signal, async () => {
    // Another's turn may have brought it.
    const meanwhile = reference.digest === null ? undefined : await findNamed(engine, reference, options.signal);
    if (meanwhile) await requireSight(source, meanwhile, reference, options);
    if (meanwhile && (await isKept(meanwhile, reference, options))) return meanwhile;
    return pull(source, reference, options);
  });
  return toResolved(pulled, digestOf(pulled, reference));
}

/** Whether an image that is here stays until the attempt ends. One that no registry gave does, and counts for nobody. */
async function isKept(image: ImageAnswer, name: ImageName, { room, accessOf }: ResolveImageOptions): Promise<boolean> {
  const repositoryDigest = digestOf(image, name);
  if (!room || repositoryDigest === null || accessOf(name).registry === 'refused') return true;
  return room.take({ imageId: image.Id, repositoryDigest });
}

async function pull(source: ImageSource, name: ImageName, options: ResolveImageOptions): Promise<ImageAnswer> {
  const { engine, limits } = source;
  const { signal, room, credentials = [] } = options;
  const credential = registryCredentialFor(credentials, name);
  const isNewlyHidden = credential !== undefined && (await hideRepository(source, name, signal));
  const before = new Set((await presentImages(engine)).map(({ imageId }) => imageId));
  const watch = await PullWatch.start(await source.dataRoot(), limits, room);
  const ending = AbortSignal.any([signal, watch.signal]);
  try {
    const onProgress = () => watch.heard();
    await pullImage(engine, { reference: pullReference(name), signal: ending, onProgress, credential });
    await watch.stop();
    watch.signal.throwIfAborted();
    const image = await findNamed(engine, name, signal);
    if (image && image.Size > limits.bytes) throw tooLarge(limits.bytes);
    if (!image || !(await isKept(image, name, options))) {
      throw new ImageError('image-pull-failed', 'The engine pulled it and does not have it.');
    }
    return image;
  } catch (error) {
    const cause: unknown = watch.signal.aborted ? watch.signal.reason : error;
    await removePulled(engine, name, before).catch(() => undefined);
    if (isNewlyHidden) await unhideRepository(source, name).catch(() => undefined);
    throw cause;
  } finally {
    await watch.stop();
  }
}

/**
 * A pull that was ended leaves nothing; one that ended before it could be is undone by its name. An image that was here before,
 * under whatever name, is somebody's. `before`: ids of images.
 */
async function removePulled(engine: Engine, name: ImageName, before: ReadonlySet<string>): Promise<void> {
  const image = (await presentImages(engine)).find(({ tags, repositoryDigests }) =>
    isNamed([...tags, ...repositoryDigests], name),
  );
  if (!image || before.has(image.imageId)) return;
  await engine.send({ method: 'DELETE', path: ['images', pullReference(name)] });
}

function noSuchId(): ImageError {
  return new ImageError('image-not-on-node', 'This node has no image of that id, and no id can be pulled.');
}

async function find(engine: Engine, name: string, signal: AbortSignal): Promise<ImageAnswer | undefined> {
  try {
    return await inspectImage(engine, name, signal);
  } catch (error) {
    if (engineStatus(error) === NOT_FOUND) return undefined;
    throw error;
  }
}

/** Engines find an image by the first digits of its id too, which a name may look like. */
async function findNamed(engine: Engine, name: ImageName, signal: AbortSignal): Promise<ImageAnswer | undefined> {
  const image = await find(engine, pullReference(name), signal);
  return image && isNamed([...image.RepoTags, ...image.RepoDigests], name) ? image : undefined;
}

function toResolved(image: ImageAnswer, repositoryDigest: string | null): ResolvedImage {
  const architecture = architectureOfGoarch(image.Architecture);
  if (image.Os !== 'linux' || architecture !== nodeArchitecture(process.arch)) {
    const platform = `${image.Os}/${image.Architecture}`.slice(0, 100);
    throw new ImageError('image-architecture', `It is for ${shownName(platform)}.`, {
      imageArchitecture: image.Architecture.slice(0, 100),
    });
  }
  const configuration = toImageConfiguration(image);
  const { entrypoint, command, environment, workingDirectory, user, volumes } = configuration;
  const problem = volumesProblem(volumes) ?? textProblem(configuration);
  if (problem !== null) throw new ImageError('image-unusable', problem);
  return {
    imageId: image.Id,
    repositoryDigest,
    content: {
      os: image.Os,
      architecture,
      layerDiffIds: image.RootFS.Layers,
      entrypoint,
      command,
      environment,
      workingDirectory,
      user,
    },
    volumes,
  };
}
