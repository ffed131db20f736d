/** From an image reference to the image on this node: what cannot change is taken as it is there, a tag as the registry has it. */
import type Docker from 'dockerode';
import { architectureOfGoarch, type ImageContent, nodeArchitecture } from '#lib/profiles';
import { engineMessage, engineStatus } from './engine-call.js';
import { within } from '../within.js';
import { toImageConfiguration } from './image-configuration.js';
import { hasDigest, sameRepository, withTag } from './image-name.js';

export interface ResolvedImage {
  /** `sha256:<hex>`, as the engine names it. */
  readonly imageId: string;
  /** `<repository>@sha256:<hex>`; null for an image that came from no registry. */
  readonly repositoryDigest: string | null;
  readonly content: ImageContent;
  /** Paths of its VOLUMEs. */
  readonly volumes: readonly string[];
}

export type ImageErrorCode = 'image-not-found' | 'image-pull-failed' | 'image-architecture';

/** The message is a sentence about the image, for the one who named it. */
export class ImageError extends Error {
  override readonly name = 'ImageError';

  constructor(
    readonly code: ImageErrorCode,
    message: string,
    /** GOARCH of the image, with `image-architecture`. */
    readonly imageArchitecture?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const INSPECT_TIMEOUT_MS = 180_000;
const PULL_STALL_MS = 600_000;
const NOT_FOUND = 404;
const BAD_REQUEST = 400;
const IMAGE_ID = /^sha256:[0-9a-f]{64}$/;
/** What registries and the engine say of an image that is not there or not ours to read. */
const ABSENT = /manifest unknown|not found|does not exist|pull access denied|unauthorized|name unknown|denied:/i;

/**
 * Pulls what is not there, and the tag of an image that came from a registry, because it may have moved. A registry that
 * cannot be asked is an error then: an older content must not be run in silence.
 *
 * @throws ImageError; `image-architecture` when it is not one of this node's, `image-pull-failed` when `signal` is aborted
 * meanwhile
 */
export async function resolveImage(
  docker: Docker,
  reference: string,
  signal = new AbortController().signal,
): Promise<ResolvedImage> {
  let image = await findImage(docker, reference);
  if (!image || mayHaveMoved(image, reference)) {
    await pullImage(docker, reference, signal);
    image = await findImage(docker, reference);
  }
  if (!image) throw new ImageError('image-pull-failed', `The engine pulled ${reference} and does not have it.`);
  return toResolvedImage(image, reference);
}

/** An id and a digest name one content for ever, and for an imported image there is no registry to ask. */
function mayHaveMoved({ RepoDigests: digests }: Docker.ImageInspectInfo, reference: string): boolean {
  if (hasDigest(reference) || IMAGE_ID.test(reference)) return false;
  return (digests ?? []).some((digest) => sameRepository(digest, reference));
}

function toResolvedImage(image: Docker.ImageInspectInfo, reference: string): ResolvedImage {
  const architecture = architectureOfGoarch(image.Architecture);
  if (image.Os !== 'linux' || architecture !== nodeArchitecture(process.arch)) {
    const platform = `${image.Os}/${image.Architecture}`;
    const message = `The image ${reference} is for ${platform}, and this node is ${nodeArchitecture(process.arch)}.`;
    throw new ImageError('image-architecture', message, image.Architecture);
  }
  const { entrypoint, command, environment, workingDirectory, user, volumes } = toImageConfiguration(image);
  const layerDiffIds = image.RootFS.Layers ?? [];
  return {
    imageId: image.Id,
    repositoryDigest: repositoryDigest(image.RepoDigests ?? [], reference),
    content: { os: image.Os, architecture, layerDiffIds, entrypoint, command, environment, workingDirectory, user },
    volumes,
  };
}

/** The one that was named, or else one of the repository that was named, if the image has several. */
function repositoryDigest(digests: readonly string[], reference: string): string | null {
  const [, digest] = reference.split('@');
  const ofRepository = digests.filter((candidate) => sameRepository(candidate, reference));
  const named = ofRepository.find((candidate) => candidate.endsWith(`@${digest}`));
  return named ?? ofRepository[0] ?? digests[0] ?? null;
}

async function findImage(docker: Docker, reference: string): Promise<Docker.ImageInspectInfo | undefined> {
  try {
    return await within(docker.getImage(reference).inspect(), INSPECT_TIMEOUT_MS, () => new Error('no answer'));
  } catch (cause) {
    if (engineStatus(cause) === NOT_FOUND) return undefined;
    throw pullError(reference, cause);
  }
}

/** Without an end of its own: an image may be large, a registry slow. Only one that says nothing any more is given up. */
async function pullImage(docker: Docker, reference: string, signal: AbortSignal): Promise<void> {
  if (IMAGE_ID.test(reference)) {
    throw new ImageError('image-not-found', `This node has no image ${reference}, and an image id cannot be pulled.`);
  }
  const stalled = new AbortController();
  const stall = setTimeout(() => stalled.abort(), PULL_STALL_MS);
  try {
    const abortSignal = AbortSignal.any([signal, stalled.signal]);
    const progress = await docker.pull(withTag(reference), { abortSignal });
    // The engine answers 200 and tells of a failure in the stream.
    await new Promise<void>((resolve, reject) => {
      const onProgress = () => stall.refresh();
      docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()), onProgress);
    });
  } catch (cause) {
    throw pullError(reference, cause);
  } finally {
    clearTimeout(stall);
  }
}

function pullError(reference: string, cause: unknown): ImageError {
  const detail = engineMessage(cause);
  const status = engineStatus(cause);
  const code =
    status === NOT_FOUND || status === BAD_REQUEST || ABSENT.test(detail) ? 'image-not-found' : 'image-pull-failed';
  return new ImageError(code, `The image ${reference} could not be pulled: ${detail}`, undefined, { cause });
}
