/** Removes from this node's engine the pulled images beyond a count, those first that were not used for longest. */
import { type Engine, pulledImages, removeImage } from '#lib/execution';
import { type Logger } from 'pino';
import { imagesBeyond } from './images-beyond.js';
import { type NodeStore } from './node-store.js';

const EVERY_MS = 600_000;

export interface ImageKeeperOptions {
  readonly engine: Engine;
  readonly store: NodeStore;
  readonly keepCount: number;
  readonly logger: Logger;
}

export class ImageKeeper {
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(private readonly options: ImageKeeperOptions) {}

  /** The first round begins at once, each next one some time after the last. */
  start(): void {
    this.#round = this.clear()
      .catch((error: unknown) => this.options.logger.warn({ err: error }, 'images could not be cleared away'))
      .then(() => {
        if (!this.#stopped) this.#timer = setTimeout(() => this.start(), EVERY_MS);
      });
  }

  /** Resolves when nothing is being removed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** One round. */
  async clear(): Promise<void> {
    const { engine, store, keepCount, logger } = this.options;
    const present = await pulledImages(engine);
    const digests = present.flatMap(({ repositoryDigests }) => repositoryDigests);
    for (const image of imagesBeyond(present, await store.byLastUse(digests), keepCount)) {
      if (this.#stopped) return;
      // Asked for each, as removing takes long. An attempt that is claimed within the moment after fails and is tried again.
      if (await store.usesAny(image.repositoryDigests)) continue;
      if (await removeImage(engine, image)) logger.info({ image: image.repositoryDigests }, 'an image was removed');
    }
  }
}
