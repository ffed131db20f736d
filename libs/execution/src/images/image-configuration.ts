/** What an image says about its own start, read from the engine once per image. */
import { normalize } from 'node:path/posix';
import { shownName } from '#lib/jobs';
import { type ImageAnswer, imageAnswer } from '../engine/answers.js';
import { type Engine } from '../engine/engine.js';
import { engineCall } from '../engine/engine-call.js';

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
const known = new WeakMap<Engine, Map<string, ImageConfiguration>>();

/** Throws ExecutionError engine-error. */
export async function imageConfiguration(engine: Engine, imageId: string): Promise<ImageConfiguration> {
  const kept = known.get(engine) ?? new Map<string, ImageConfiguration>();
  known.set(engine, kept);
  const present = kept.get(imageId);
  if (present) return present;
  const image = await engineCall(`inspect the image ${imageId}`, () => inspectImage(engine, imageId));
  const configuration = toImageConfiguration(image);
  const [oldest] = kept.keys();
  if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest);
  kept.set(imageId, configuration);
  return configuration;
}

/** By id or by name. Throws EngineError. */
export function inspectImage(engine: Engine, name: string, signal?: AbortSignal): Promise<ImageAnswer> {
  return engine.json(imageAnswer, { method: 'GET', path: ['images', name, 'json'], ...(signal && { signal }) });
}

export function toImageConfiguration({ Config: config }: ImageAnswer): ImageConfiguration {
  return {
    entrypoint: config?.Entrypoint ?? [],
    command: config?.Cmd ?? [],
    environment: config?.Env ?? [],
    workingDirectory: config?.WorkingDir ?? '',
    user: config?.User ?? '',
    volumes: Object.keys(config?.Volumes ?? {}).sort(),
  };
}

const TEXTS = {
  entrypoint: 'ENTRYPOINT',
  command: 'CMD',
  environment: 'ENV',
  workingDirectory: 'WORKDIR',
  user: 'USER',
} as const satisfies Partial<Record<keyof ImageConfiguration, string>>;
/** A null byte, which ends a text of the kernel's and which Postgres does not store; half of a surrogate pair, which is no UTF-8. */
const NO_TEXT = /[\0\p{Cs}]/u;

/** Why no program can be started with these texts; null where one can. */
export function textProblem(configuration: ImageConfiguration): string | null {
  const fields = Object.keys(TEXTS) as (keyof typeof TEXTS)[];
  const bad = fields.find((field) => [configuration[field]].flat().some((text) => NO_TEXT.test(text)));
  return bad === undefined ? null : `its ${TEXTS[bad]} has a null byte or half a character.`;
}

/** What every container has for itself; the runtime refuses other mounts there, or is left without what it needs. */
const OWN_TREES = ['/proc', '/run/porin'];
const OWN_DIRECTORIES = ['/sys', '/dev'];
const VOLUMES_MAXIMUM = 64;
const VOLUME_CHARACTERS = 4095;

/** Why no container can be made with these VOLUMEs; null where it can. */
export function volumesProblem(volumes: readonly string[]): string | null {
  if (volumes.length > VOLUMES_MAXIMUM) return `it has more than ${VOLUMES_MAXIMUM} VOLUMEs.`;
  for (const volume of volumes) {
    const shown = `"${shownName(volume)}"`;
    if (volume.length > VOLUME_CHARACTERS) return `its VOLUME ${shown} has a path that is too long.`;
    const path = normalize(volume).replace(/\/$/, '');
    if (!volume.startsWith('/') || path === '' || /[\0\n]/.test(volume)) {
      return `its VOLUME ${shown} is no absolute path below /.`;
    }
    const isOwn = OWN_DIRECTORIES.includes(path) || OWN_TREES.some((own) => path === own || path.startsWith(`${own}/`));
    if (isOwn) return `its VOLUME ${shown} is what every container has for itself.`;
  }
  return null;
}
