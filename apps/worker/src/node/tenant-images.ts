/**
 * Holds what jobs of a tenant bring to this node to the tenant's bound, and keeps the images of running attempts here. All
 * attempts of the node are this process's: what they need is known without asking.
 */
import {
  type Engine,
  type ImageRoom,
  noRoom,
  type PresentImage,
  presentImages,
  PullTurn,
  removeImage,
  wasPulled,
} from '#lib/execution';
import { type Logger } from 'pino';
import { type AttemptKey } from '../attempt/attempt-key.js';
import { type TenantImageStore } from './tenant-image-store.js';
import { imagesToGiveUp, leftBytes, type TenantImage, tenantImages } from './tenant-room.js';

export interface TenantImagesOptions {
  readonly engine: Engine;
  readonly store: TenantImageStore;
  readonly logger: Logger;
}

export type RoomOwner = AttemptKey & {
  readonly tenant: string;
  readonly tenantTerms: { readonly maximumImageBytes: number };
};

/** How often a use is written down that is not pinned to a build (node_pin_build writes all others). */
const NOTED_MS = 60_000;
const NOTED_MAXIMUM = 10_000;

export class TenantImages {
  /** What is counted must not change while it is decided what goes. */
  readonly turn = new PullTurn();
  readonly #rooms = new Set<AttemptRoom>();
  /** When a use was written, by tenant and repository digest. */
  readonly #noted = new Map<string, number>();

  constructor(readonly options: TenantImagesOptions) {}

  /** Of an attempt of this node, until it is closed. */
  room(owner: RoomOwner, signal: AbortSignal): AttemptRoom {
    const room = new AttemptRoom(this, owner, signal);
    this.#rooms.add(room);
    return room;
  }

  forget(room: AttemptRoom): void {
    this.#rooms.delete(room);
  }

  isNeeded(imageId: string): boolean {
    return [...this.#rooms].some((room) => room.needs(imageId));
  }

  isNoted(tenant: string, repositoryDigest: string): boolean {
    const at = this.#noted.get(noteKey(tenant, repositoryDigest));
    return at !== undefined && at > performance.now() - NOTED_MS;
  }

  note(tenant: string, repositoryDigest: string): void {
    if (this.#noted.size >= NOTED_MAXIMUM) this.#noted.clear();
    this.#noted.set(noteKey(tenant, repositoryDigest), performance.now());
  }

  unnote(tenant: string, repositoryDigests: readonly string[]): void {
    for (const digest of repositoryDigests) this.#noted.delete(noteKey(tenant, digest));
  }
}

function noteKey(tenant: string, repositoryDigest: string): string {
  return JSON.stringify([tenant, repositoryDigest]);
}

/** The tenant's images, as one attempt may use them and make room among them. */
export class AttemptRoom implements ImageRoom {
  readonly maximumBytes: number;
  /** Ids of what this attempt runs. */
  readonly #needed = new Set<string>();
  /** Ids of images that the engine would not remove. */
  readonly #stuck = new Set<string>();

  constructor(
    private readonly images: TenantImages,
    private readonly owner: RoomOwner,
    private readonly signal: AbortSignal,
  ) {
    this.maximumBytes = owner.tenantTerms.maximumImageBytes;
  }

  needs(imageId: string): boolean {
    return this.#needed.has(imageId);
  }

  /** When the attempt is over. */
  close(): void {
    this.images.forget(this);
  }

  async leftBytes(): Promise<number> {
    return leftBytes(await this.#counted(), this.maximumBytes);
  }

  giveUpOne(): Promise<boolean> {
    return this.images.turn.take(this.signal, async () => {
      const counted = await this.#counted();
      for (const image of counted.toReversed()) {
        if (this.#mayGiveUp(image) && (await this.#giveUp(image))) return true;
      }
      return false;
    });
  }

  async take(image: { readonly imageId: string; readonly repositoryDigest: string }): Promise<boolean> {
    const { images, owner } = this;
    // Before anything is waited for: from here on nobody removes it.
    this.#needed.add(image.imageId);
    if (images.isNoted(owner.tenant, image.repositoryDigest)) return true;
    return images.turn.take(this.signal, async () => {
      const { store } = images.options;
      if (!(await store.use(owner, image.repositoryDigest, { isNew: false }))) {
        const present = await presentImages(images.options.engine);
        const found = present.find(({ imageId }) => imageId === image.imageId);
        if (!found) return false;
        if (!wasPulled(found)) return true;
        await this.#makeRoomFor(found);
        await store.use(owner, image.repositoryDigest, { isNew: true });
      }
      images.note(owner.tenant, image.repositoryDigest);
      return true;
    });
  }

  async #makeRoomFor(image: PresentImage): Promise<void> {
    for (;;) {
      // By another of its names it may count already.
      const others = (await this.#counted()).filter(({ imageId }) => imageId !== image.imageId);
      const { bytes: neededBytes } = image;
      const { maximumBytes } = this;
      const given = imagesToGiveUp(others, {
        neededBytes,
        maximumBytes,
        mayGiveUp: (other) => this.#mayGiveUp(other),
      });
      if (!given) throw noRoom(neededBytes, maximumBytes);
      if (given.length === 0) return;
      for (const other of given) await this.#giveUp(other);
    }
  }

  async #counted(): Promise<readonly TenantImage[]> {
    const { engine, store } = this.images.options;
    const pulled = (await presentImages(engine)).filter(wasPulled);
    const digests = pulled.flatMap(({ repositoryDigests }) => repositoryDigests);
    return tenantImages(pulled, await store.uses(this.owner, digests));
  }

  #mayGiveUp({ imageId }: TenantImage): boolean {
    return !this.#stuck.has(imageId) && !this.images.isNeeded(imageId);
  }

  /** False where the engine keeps it. Between the question whether it is needed and the first await nothing else happens. */
  async #giveUp(image: TenantImage): Promise<boolean> {
    const { images, owner } = this;
    const { engine, store, logger } = images.options;
    const { imageId, repositoryDigests, isShared } = image;
    if (!this.#mayGiveUp(image)) return false;
    images.unnote(owner.tenant, repositoryDigests);
    if (!isShared && !(await removeImage(engine, image))) {
      this.#stuck.add(imageId);
      return false;
    }
    await store.giveUp(owner, repositoryDigests);
    const what = { tenant: owner.tenant, image: repositoryDigests, bytes: image.bytes };
    logger.info(what, isShared ? 'an image counts for its tenant no more' : 'an image was removed for another');
    return true;
  }
}
