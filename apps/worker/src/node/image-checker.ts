/** Looks for the images of applications that were registered, one at a time, and writes whether they are to be found. */
import { findImage, ImageError, type ImageSource } from '#lib/execution';
import { imageAccess, type ImageLists } from '#lib/jobs';
import { type Logger } from 'pino';
import { type ImageCheckStore, type UncheckedImage } from './image-check-store.js';

export interface ImageCheckerOptions {
  readonly images: ImageSource;
  readonly imageLists: ImageLists;
  readonly store: ImageCheckStore;
  readonly logger: Logger;
}

const PAUSE_MS = 5_000;
/** After which an image is looked for again whose registry could not be asked. */
const AGAIN_MS = 600_000;
const SKIPPED_MAXIMUM = 1_000;

export class ImageChecker {
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  readonly #stop = new AbortController();
  /** Ids of applications whose images could not be looked for, by when. */
  readonly #skipped = new Map<string, number>();

  constructor(private readonly options: ImageCheckerOptions) {}

  start(): void {
    this.#timer = setTimeout(() => {
      this.#turn = this.#look()
        .catch((error: unknown) => this.options.logger.warn({ err: error }, 'images could not be looked for'))
        .then(() => {
          if (!this.#stop.signal.aborted) this.start();
        });
    }, PAUSE_MS);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#turn;
  }

  async #look(): Promise<void> {
    const skipped = [...this.#skipped].flatMap(([id, at]) => (at > Date.now() - AGAIN_MS ? [id] : []));
    if (skipped.length >= SKIPPED_MAXIMUM) return;
    const unchecked = await this.options.store.next(skipped);
    this.#skipped.forEach((_, id) => skipped.includes(id) || this.#skipped.delete(id));
    if (unchecked) await this.#check(unchecked);
  }

  async #check(unchecked: UncheckedImage): Promise<void> {
    const { images, imageLists, store, logger } = this.options;
    const accessOf = (name: Parameters<typeof imageAccess>[0]) => imageAccess(name, imageLists, unchecked.lists);
    try {
      await findImage(images, unchecked.image, { accessOf, signal: this.#stop.signal });
      await store.store(unchecked, null);
    } catch (error) {
      if (!(error instanceof ImageError) || this.#stop.signal.aborted) throw error;
      logger.info(
        { ...unchecked, code: error.code, cause: (error.cause as Error | undefined)?.message },
        error.message,
      );
      if (error.code === 'image-pull-failed') this.#skipped.set(unchecked.applicationId, Date.now());
      else await store.store(unchecked, error.message);
    }
  }
}
