/**
 * From an image reference to the image on this node: whether it may be run, whether it is here, and what it is. What cannot
 * change is taken as it is here, a tag as the registry has it.
 */
import {
  DOCKER_HUB,
  type ImageAccess,
  type ImageName,
  ImageReferenceError,
  isSameRepository,
  parseImageReference,
  pullReference,
} from '#lib/jobs';
import { shownName } from '#lib/jobs';
import { architectureOfGoarch, type ImageContent, nodeArchitecture } from '#lib/profiles';
import { distributionAnswer, type ImageAnswer } from '../engine/answers.js';
import { type Engine } from '../engine/engine.js';
import { EngineError, engineStatus } from '../engine/engine-error.js';
import { type DataRoot } from './data-root.js';
import { inspectImage, textProblem, toImageConfiguration, volumesProblem } from './image-configuration.js';
import { ImageError, type ImageErrorCode } from './image-error.js';
import { type ImageRoom } from './image-room.js';
import { pullImage, PullFailure } from './pull-image.js';
import { type PullTurn } from './pull-turn.js';
import { type PullLimits, PullWatch, tooLarge } from './pull-watch.js';
import {
  engineErrorWithout,
  type RegistryCredential,
  registryCredentialFor,
  registryHeaders,
} from './registry-credential.js';
import { presentImages } from './remove-image.js';

export interface ResolvedImage {
  /** `sha256:<hex>`, as the engine names it. */
  readonly imageId: string;
  /** `<repository>@sha256:<hex>`; null for an image that came from no registry. */
  readonly repositoryDigest: string | null;
  readonly content: ImageContent;
  /** Paths of its VOLUMEs. */
  readonly volumes: readonly string[];
}

/** Of a node, for all that is pulled there. */
export interface ImageSource {
  readonly engine: Engine;
  readonly turn: PullTurn;
  readonly limits: PullLimits;
  readonly dataRoot: () => Promise<DataRoot>;
  /** Whether all addresses of a registry's host are of the public internet. Rejects where it has none. */
  readonly isPublic: (host: string) => Promise<boolean>;
  /** Those that images were pulled from with a credential. */
  readonly privateRepositories: PrivateRepositories;
}

/** Repositories, `registry.example.org/team/tool`. */
export interface PrivateRepositories {
  has(repository: string): boolean;
  /** It stays known when the process ends. */
  add(repository: string): unknown;
}

export interface ResolveImageOptions {
  /** Of a name; null: of an image without one. */
  readonly accessOf: (name: ImageName | null) => ImageAccess;
  /** Ends what is waited for. */
  readonly signal: AbortSignal;
  /** What images of registries may take here; absent where they count for nobody. */
  readonly room?: ImageRoom;
  /** Of whoever asks; a registry is asked by it alone. */
  readonly credentials?: readonly RegistryCredential[];
}

const NOT_FOUND = 404;
/** Bad request, unauthorized, forbidden, not found: of the engine, and of a registry that it asked. */
const ABSENT_STATUS = [400, 401, 403, NOT_FOUND];
const ABSENT = 'Its registry does not have it, or does not show it to this grid.';
const NOT_ASKED = 'Its registry or the engine of the node could not be asked.';
/** For a registry's word on a reference. */
const ASK_TIMEOUT_MS = 60_000;
/** Where Docker Hub, which has no registry under its own name, is asked. */
const HUB_HOST = 'registry-1.docker.io';

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

/**
 * What somebody's credential brought here is for those alone whom its registry shows it to, by a credential of theirs or without
 * one. Throws what the engine throws.
 */
async function requireSight(
  source: ImageSource,
  { RepoDigests }: ImageAnswer,
  name: ImageName,
  options: ResolveImageOptions,
): Promise<void> {
  const names = RepoDigests.flatMap((text) => nameOf(text) ?? []);
  const hidden = names.filter((each) => source.privateRepositories.has(repositoryOf(each)));
  if (hidden.length === 0) return;
  // By another name of it, nobody learns more than by its own.
  const own = names.find((each) => repositoryOf(each) === repositoryOf(name)) ?? hidden[0];
  if (own) await askRegistry(source, own, options);
}

/** Whether the registry shows the image. Throws EngineError where not. */
async function askRegistry(
  { engine }: ImageSource,
  name: ImageName,
  { credentials = [], signal }: ResolveImageOptions,
): Promise<void> {
  const credential = registryCredentialFor(credentials, name);
  const request = { path: ['distribution', pullReference(name), 'json'], headers: registryHeaders(credential), signal };
  try {
    await engine.json(distributionAnswer, { method: 'GET', timeoutMs: ASK_TIMEOUT_MS, ...request });
  } catch (error) {
    throw engineErrorWithout(error, credential);
  }
}

/** Whether an image that is here stays until the attempt ends. One that no registry gave does, and counts for nobody. */
async function isKept(image: ImageAnswer, name: ImageName, { room, accessOf }: ResolveImageOptions): Promise<boolean> {
  const repositoryDigest = digestOf(image, name);
  if (!room || repositoryDigest === null || accessOf(name).registry === 'refused') return true;
  return room.take({ imageId: image.Id, repositoryDigest });
}

/**
 * False when it must be pulled. An image that came from no registry is never replaced by one that has the same name there.
 */
async function mayRunPresent(
  source: ImageSource,
  name: ImageName,
  image: ImageAnswer,
  { accessOf }: ResolveImageOptions,
): Promise<boolean> {
  const access = accessOf(name);
  if (isPulled(image, name)) {
    if (access.registry !== 'refused') return name.digest !== null;
    // An engine that digests everything does not tell what was pulled: there only what an administrator named is believed.
    const { digestsEverything } = await source.dataRoot();
    if (digestsEverything && access.local === 'named') return true;
  } else if (access.local !== 'refused') return true;
  throw notAllowed();
}

/** By any of its names it may be allowed; without one (null), with all that no registry gave. */
async function nameToRun(
  source: ImageSource,
  image: ImageAnswer,
  options: ResolveImageOptions,
): Promise<ImageName | null> {
  const names = [...image.RepoTags, ...image.RepoDigests].flatMap((text) => {
    try {
      const reference = parseImageReference(text);
      return reference.kind === 'name' ? [reference] : [];
    } catch {
      return [];
    }
  });
  if (names.length === 0 && options.accessOf(null).local !== 'refused') return null;
  const { digestsEverything } = await source.dataRoot();
  const allowed = names.find((name) => {
    const access = options.accessOf(name);
    if (!isPulled(image, name)) return access.local !== 'refused';
    return access.registry !== 'refused' || (digestsEverything && access.local === 'named');
  });
  if (!allowed) throw notAllowed();
  return allowed;
}

async function checkRegistry(
  { isPublic }: ImageSource,
  name: ImageName,
  { accessOf }: ResolveImageOptions,
): Promise<void> {
  const access = accessOf(name);
  if (access.registry === 'refused') {
    const mayBeLocal = access.local === 'named' || (access.local === 'any' && name.domain === DOCKER_HUB);
    if (!mayBeLocal) throw notAllowed();
    const message =
      'This node does not have it, and its registry is none of those that it may ask. Ask an administrator.';
    throw new ImageError('image-not-on-node', message);
  }
  if (access.registry === 'named') return;
  const isReachable = await isPublic(hostOf(name)).catch((cause: unknown) => {
    throw new ImageError('image-pull-failed', 'The host of its registry has no address that could be found.', {
      cause,
    });
  });
  if (!isReachable) {
    throw new ImageError(
      'image-not-allowed',
      'Its registry has an address that is not of the public internet, and no administrator named it.',
    );
  }
}

function hostOf({ domain }: ImageName): string {
  if (domain === DOCKER_HUB) return HUB_HOST;
  return domain.startsWith('[') ? domain.slice(1, domain.indexOf(']')) : domain.replace(/:\d+$/, '');
}

async function pull(source: ImageSource, name: ImageName, options: ResolveImageOptions): Promise<ImageAnswer> {
  const { engine, limits } = source;
  const { signal, room, credentials = [] } = options;
  const credential = registryCredentialFor(credentials, name);
  // Before the image is here, where others would find it.
  if (credential) source.privateRepositories.add(repositoryOf(name));
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

function isNamed(names: readonly string[], name: ImageName): boolean {
  return names.some((text) => {
    const known = nameOf(text);
    // Podman writes "localhost/" before a name that has no registry.
    const plain =
      known?.domain === 'localhost' && name.domain === DOCKER_HUB ? nameOf(text.replace(/^localhost\//, '')) : known;
    if (plain?.domain !== name.domain || plain.path !== name.path) return false;
    return name.digest === null ? plain.tag === (name.tag ?? 'latest') : plain.digest === name.digest;
  });
}

function nameOf(text: string): ImageName | null {
  try {
    const reference = parseImageReference(text);
    return reference.kind === 'name' ? reference : null;
  } catch {
    return null;
  }
}

function isPulled({ RepoDigests }: ImageAnswer, name: ImageName): boolean {
  return RepoDigests.some((digest) => isSameRepository(digest, repositoryOf(name)));
}

function digestOf({ RepoDigests }: ImageAnswer, name: ImageName): string | null {
  const ofRepository = RepoDigests.filter((digest) => isSameRepository(digest, repositoryOf(name)));
  return ofRepository.find((digest) => digest.endsWith(`@${name.digest}`)) ?? ofRepository[0] ?? null;
}

const repositoryOf = ({ domain, path }: ImageName): string => `${domain}/${path}`;

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

function notAllowed(): ImageError {
  return new ImageError(
    'image-not-allowed',
    'It is none of the images that this node may run for you, and its registry is none of those that it may ask. Ask an administrator.',
  );
}

/** What is said of a failed pull, and what that means; the first that fits. Other failures are tried again. */
const FAILURES: readonly (readonly [said: RegExp, code: ImageErrorCode, message: string])[] = [
  [/no space left|cannot allocate memory|input\/output error/i, 'image-pull-failed', 'The node could not keep it.'],
  [/no matching manifest/i, 'image-architecture', 'There is none for this node.'],
  // Of an image that is not there, or not ours to read.
  [
    /manifest unknown|not found|does not exist|pull access denied|unauthorized|name unknown|denied:|no basic auth credentials|authentication required|incorrect username or password|response body: 40[13]|HTTP 40[13] response/i,
    'image-not-found',
    ABSENT,
  ],
  [
    /failed to register layer|tar header|verification failed|match image configuration|unsupported|size validation/i,
    'image-unusable',
    'Its registry has it, and it cannot be unpacked.',
  ],
];

function toImageError(cause: unknown): unknown {
  if (cause instanceof ImageError) return cause;
  if (cause instanceof ImageReferenceError) return new ImageError('image-invalid', `${cause.message}.`, { cause });
  if (ABSENT_STATUS.includes(engineStatus(cause) ?? 0)) return new ImageError('image-not-found', ABSENT, { cause });
  if (cause instanceof EngineError && cause.reason === 'too-large') {
    return new ImageError('image-too-large', 'What it says about its own start is too long.', { cause });
  }
  const said = cause instanceof PullFailure || cause instanceof EngineError ? cause.message : '';
  const [, code = 'image-pull-failed', message = NOT_ASKED] = FAILURES.find(([words]) => words.test(said)) ?? [];
  return new ImageError(code, message, { cause });
}
