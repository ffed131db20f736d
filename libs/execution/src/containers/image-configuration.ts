/** What an image says about its own start, read from the engine once per image. */
import type Docker from 'dockerode';
import { engineCall } from './engine-call.js';

export interface ImageConfiguration {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** `NAME=value` */
  readonly environment: readonly string[];
  /** Empty where the image names none. */
  readonly workingDirectory: string;
  readonly user: string;
  /** Paths of its VOLUMEs. */
  readonly volumes: readonly string[];
}

const KEPT = 256;
/** By image id, which names unchangeable content. */
const known = new WeakMap<Docker, Map<string, ImageConfiguration>>();

/** Throws ExecutionError engine-error. */
export async function imageConfiguration(docker: Docker, imageId: string): Promise<ImageConfiguration> {
  const kept = known.get(docker) ?? new Map<string, ImageConfiguration>();
  known.set(docker, kept);
  const present = kept.get(imageId);
  if (present) return present;
  const image = await engineCall(`inspect the image ${imageId}`, () => docker.getImage(imageId).inspect());
  const configuration = toImageConfiguration(image);
  const [oldest] = kept.keys();
  if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest);
  kept.set(imageId, configuration);
  return configuration;
}

export function toImageConfiguration({ Config: config }: Docker.ImageInspectInfo): ImageConfiguration {
  return {
    entrypoint: words(config.Entrypoint),
    command: config.Cmd ?? [],
    environment: config.Env ?? [],
    workingDirectory: config.WorkingDir ?? '',
    user: config.User ?? '',
    volumes: Object.keys(config.Volumes ?? {}).sort(),
  };
}

function words(value: string | string[] | null | undefined): readonly string[] {
  if (value === undefined || value === null || value === '') return [];
  return typeof value === 'string' ? [value] : value;
}
