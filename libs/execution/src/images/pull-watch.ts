/** Ends a pull that takes too much of the node's disk, too long, or that says nothing any more. */
import { type DataRoot } from './data-root.js';
import { ImageError } from './image-error.js';
import { type ImageRoom, noRoom } from './image-room.js';

export interface PullLimits {
  /** What one pull may take of the engine's disk, unpacked. */
  readonly bytes: number;
  /** What must stay free there. */
  readonly freeBytes: number;
  readonly timeoutMs: number;
  /** Without a word of the engine's. */
  readonly stallMs: number;
}

const POLL_MS = 200;
/** Others write there too, a little: beyond what a tenant's images leave, so much is let pass. The image's own size decides in the end. */
const TOLERANCE_BYTES = 16 * 1024 ** 2;

export class PullWatch {
  readonly #ended = new AbortController();
  readonly #startedAt = Date.now();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #stall: NodeJS.Timeout;
  #over = false;
  #polling: Promise<void> = Promise.resolve();
  #counting: Promise<unknown> | undefined;
  /** What may be gone of the free space before the pull's own part is counted. */
  #countAt: number;

  private constructor(
    private readonly root: DataRoot,
    private readonly limits: PullLimits,
    private readonly room: ImageRoom | undefined,
    private freeAtFirst: number,
    /** What the tenant's other images leave. */
    private leftBytes: number,
  ) {
    this.#countAt = this.#unpackedLimit;
    const { timeoutMs, stallMs } = limits;
    const tooLong = `It was not fetched within ${Math.ceil(timeoutMs / 1000)} s.`;
    this.#timers.push(setTimeout(() => this.#fail(tooLong), timeoutMs));
    this.#stall = setTimeout(() => this.#fail('Its registry stopped sending it.'), stallMs);
    this.#poll();
  }

  /** Throws ImageError image-pull-failed where too little is free before anything is pulled. */
  static async start(root: DataRoot, limits: PullLimits, room?: ImageRoom): Promise<PullWatch> {
    const left = room ? await room.leftBytes() : Infinity;
    const free = await root.freeBytes();
    if (free < limits.freeBytes) throw new ImageError('image-pull-failed', NO_SPACE);
    return new PullWatch(root, limits, room, free, left);
  }

  /** Aborted, with an ImageError as its reason, when the pull must end. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** The engine said something. */
  heard(): void {
    this.#stall.refresh();
  }

  /** Resolves when nothing is looked at any more. */
  async stop(): Promise<void> {
    this.#over = true;
    for (const timer of [...this.#timers, this.#stall]) clearTimeout(timer);
    await this.#polling;
    await this.#counting;
  }

  get #unpackedLimit(): number {
    return Math.min(this.limits.bytes, this.leftBytes + TOLERANCE_BYTES);
  }

  #poll(): void {
    this.#timers[1] = setTimeout(() => {
      this.#polling = this.#look()
        .catch((cause: unknown) => this.#fail(NO_SPACE, cause))
        .then(() => {
          if (!this.#over && !this.signal.aborted) this.#poll();
        });
    }, POLL_MS);
  }

  /** Others write there too: when enough is gone, the pull's own part is counted. Meanwhile the free space is still watched. */
  async #look(): Promise<void> {
    const free = await this.root.freeBytes();
    if (free < this.limits.freeBytes) return this.#fail(NO_SPACE);
    if (this.freeAtFirst - free <= this.#countAt || this.#counting) return;
    this.#counting = this.#count()
      .catch((cause: unknown) => this.#fail(NO_SPACE, cause))
      .then(() => (this.#counting = undefined));
  }

  async #count(): Promise<void> {
    while (!this.#over) {
      const gone = this.freeAtFirst - (await this.root.freeBytes());
      const own = this.root.isVisible
        ? await this.root.writtenSince(this.#startedAt, this.limits.bytes)
        : { bytes: gone, unpackedBytes: gone };
      if (!own) return this.#fail(NO_SPACE);
      if (own.bytes > this.limits.bytes) return this.#end(tooLarge(this.limits.bytes));
      const spare = Math.min(this.limits.bytes - own.bytes, this.#unpackedLimit - own.unpackedBytes);
      if (spare >= 0) {
        this.#countAt = gone + spare;
        return;
      }
      await this.#makeRoom(own.unpackedBytes);
      if (this.signal.aborted) return;
    }
  }

  async #makeRoom(neededBytes: number): Promise<void> {
    const { room } = this;
    if (!room) return;
    // What can never fit costs the others nothing.
    const isHopeless = neededBytes > room.maximumBytes + TOLERANCE_BYTES;
    if (isHopeless || !(await room.giveUpOne())) return this.#end(noRoom(neededBytes, room.maximumBytes));
    const left = await room.leftBytes();
    // What it freed hides as much of what the pull takes.
    this.freeAtFirst += left - this.leftBytes;
    this.leftBytes = left;
  }

  #fail(message: string, cause?: unknown): void {
    this.#end(new ImageError('image-pull-failed', message, { cause }));
  }

  #end(error: ImageError): void {
    this.#ended.abort(error);
  }
}

const NO_SPACE = 'The node has no space left for images.';

export function tooLarge(limitBytes: number): ImageError {
  return new ImageError('image-too-large', `It takes more than ${limitBytes} bytes on the node, unpacked.`);
}
