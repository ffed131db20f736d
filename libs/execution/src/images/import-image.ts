/** Makes an image of files: the engine's own import, without a registry and without a build. */
import { type Engine } from '../engine/engine.js';
import { engineCall } from '../engine/engine-call.js';
import { engineStatus } from '../engine/engine-error.js';
import { inspectImage } from './image-configuration.js';

const NOT_FOUND = 404;
const IMPORT_TIMEOUT_MS = 60_000;

export interface ImportedName {
  readonly repository: string;
  readonly tag: string;
}

/**
 * `tar`: its whole file system. Resolves to its id, `sha256:<hex>`.
 *
 * @throws ExecutionError engine-error
 */
export async function importImage(engine: Engine, { repository, tag }: ImportedName, tar: Buffer): Promise<string> {
  return engineCall('import an image', async () => {
    // It answers 200 and tells of a failure in the text: whether it has the image says the same.
    await engine.send({
      method: 'POST',
      path: ['images', 'create'],
      query: { fromSrc: '-', repo: repository, tag },
      tar,
      timeoutMs: IMPORT_TIMEOUT_MS,
    });
    return (await inspectImage(engine, `${repository}:${tag}`)).Id;
  });
}

/**
 * Takes it from the engine with whatever was made of it. One that is not there is no error.
 *
 * @throws ExecutionError engine-error
 */
export async function dropImage(engine: Engine, { repository, tag }: ImportedName): Promise<void> {
  try {
    await engineCall('remove an image', () =>
      engine.send({ method: 'DELETE', path: ['images', `${repository}:${tag}`], query: { force: 'true' } }),
    );
  } catch (error) {
    if (engineStatus(error) !== NOT_FOUND) throw error;
  }
}
