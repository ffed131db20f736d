/** The engine's side of an image: find it by what it was made of, import a tar, build a Dockerfile. */
import type Docker from 'dockerode';
import { ImageError } from './image-error.js';

/** Says what an image was made of, so that an unchanged one is not imported again. */
export const INPUTS_LABEL = 'porin.inputs';
const REGISTRY_PROBE = 'https://registry-1.docker.io/v2/';
const PROBE_TIMEOUT_MS = 4_000;

export interface BuiltImage {
  readonly reference: string;
  /** `sha256:<hex>`, as the engine names it. */
  readonly imageId: string;
}

/** The image of that reference, if it was made of these inputs. */
export async function findImage(docker: Docker, reference: string, inputs: string): Promise<BuiltImage | undefined> {
  try {
    const image = await docker.getImage(reference).inspect();
    return image.Config.Labels?.[INPUTS_LABEL] === inputs ? { reference, imageId: image.Id } : undefined;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

/** Imports a root file system; `changes` are Dockerfile instructions for its configuration. */
export async function importRoot(
  docker: Docker,
  options: { tar: string; reference: string; inputs: string; changes: readonly string[] },
): Promise<BuiltImage> {
  const [repo, tag] = splitReference(options.reference);
  const changes = [...options.changes, `LABEL ${INPUTS_LABEL}=${options.inputs}`];
  const stream = await docker.importImage(options.tar, { repo, tag, changes });
  await finished(docker, stream);
  return found(docker, options.reference, options.inputs);
}

/** Builds a Dockerfile; `files` are paths below `context`. */
export async function buildDockerfile(
  docker: Docker,
  options: { context: string; files: readonly string[]; reference: string; inputs: string },
): Promise<BuiltImage> {
  const stream = await docker.buildImage(
    { context: options.context, src: ['Dockerfile', ...options.files] },
    // The engine may have been started without a bridge: the packages come over the host's network.
    { t: options.reference, labels: { [INPUTS_LABEL]: options.inputs }, networkmode: 'host', forcerm: true },
  );
  await finished(docker, stream);
  return found(docker, options.reference, options.inputs);
}

export async function registryInReach(): Promise<boolean> {
  try {
    // 401 is its answer to strangers.
    const { status } = await fetch(REGISTRY_PROBE, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return status === 200 || status === 401;
  } catch {
    return false;
  }
}

function splitReference(reference: string): [repo: string, tag: string] {
  const colon = reference.lastIndexOf(':');
  return [reference.slice(0, colon), reference.slice(colon + 1)];
}

async function found(docker: Docker, reference: string, inputs: string): Promise<BuiltImage> {
  const image = await findImage(docker, reference, inputs);
  if (image) return image;
  throw new ImageError('engine-refused', `The container engine took ${reference} but does not list it.`);
}

/** The engine answers 200 and tells of a failure in the stream. */
function finished(docker: Docker, stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null) => {
      if (!error) return resolve();
      reject(
        new ImageError('engine-refused', `The container engine refused the image: ${error.message}`, { cause: error }),
      );
    });
  });
}
