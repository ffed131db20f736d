/** Who may run an image: what the lists of node and tenant let through, and whom its registry shows it to. */
import { DOCKER_HUB, type ImageName, isSameRepository, pullReference } from '#lib/jobs';
import { distributionAnswer, type ImageAnswer } from '../engine/answers.js';
import { ImageError } from './image-error.js';
import { isPulled, nameOf, repositoryOf } from './image-names.js';
import { type ImageSource, type ResolveImageOptions } from './image-source.js';
import { engineErrorWithout, registryCredentialFor, registryHeaders } from './registry-credential.js';
import { presentImages } from './remove-image.js';

/** For a registry's word on a reference. */
const ASK_TIMEOUT_MS = 60_000;
/** Where Docker Hub, which has no registry under its own name, is asked. */
const HUB_HOST = 'registry-1.docker.io';

/**
 * What somebody's credential brought here is for those alone whom its registry shows it to, by a credential of theirs or without
 * one. Throws what the engine throws.
 */
export async function requireSight(
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
export async function askRegistry(
  { engine }: ImageSource,
  name: ImageName,
  { credentials = [], signal }: Pick<ResolveImageOptions, 'credentials' | 'signal'>,
): Promise<void> {
  const credential = registryCredentialFor(credentials, name);
  const request = { path: ['distribution', pullReference(name), 'json'], headers: registryHeaders(credential), signal };
  try {
    await engine.json(distributionAnswer, { method: 'GET', timeoutMs: ASK_TIMEOUT_MS, ...request });
  } catch (error) {
    throw engineErrorWithout(error, credential);
  }
}

/**
 * Before a pull by a credential, for the image is found by others as soon as it is here. What its registry shows to everybody need
 * not be hidden. True where the repository was not hidden before.
 */
export async function hideRepository(source: ImageSource, name: ImageName, signal: AbortSignal): Promise<boolean> {
  const { privateRepositories } = source;
  const isNew = !privateRepositories.has(repositoryOf(name));
  if (isNew && (await isShownToAll(source, name, signal))) return false;
  await privateRepositories.add(repositoryOf(name));
  return isNew;
}

async function isShownToAll(source: ImageSource, name: ImageName, signal: AbortSignal): Promise<boolean> {
  return askRegistry(source, name, { signal }).then(
    () => true,
    () => false,
  );
}

/** After a pull that failed: there is nothing to hide where it has left nothing of the repository here. */
export async function unhideRepository({ engine, privateRepositories }: ImageSource, name: ImageName): Promise<void> {
  const names = (await presentImages(engine)).flatMap(({ tags, repositoryDigests }) => [...tags, ...repositoryDigests]);
  if (names.some((text) => isSameRepository(text, repositoryOf(name)))) return;
  await privateRepositories.delete(repositoryOf(name));
}

/**
 * False when it must be pulled. An image that came from no registry is never replaced by one that has the same name there.
 */
export async function mayRunPresent(
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
export async function nameToRun(
  source: ImageSource,
  image: ImageAnswer,
  options: ResolveImageOptions,
): Promise<ImageName | null> {
  const names = [...image.RepoTags, ...image.RepoDigests].flatMap((text) => nameOf(text) ?? []);
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

export async function checkRegistry(
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

function notAllowed(): ImageError {
  return new ImageError(
    'image-not-allowed',
    'It is none of the images that this node may run for you, and its registry is none of those that it may ask. Ask an administrator.',
  );
}
