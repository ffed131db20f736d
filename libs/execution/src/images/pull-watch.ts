/** Ends a pull that takes too much of the node's disk, too long, or that says nothing any more. */
import { type DataRoot } from './data-root.js';
import { ImageError } from './image-error.js';

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

export class PullWatch {
  readonly #ended = new AbortController();
  readonly #startedAt = Date.now();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #stall: NodeJS.Timeout;
  #over = false;
  #polling: Promise<void> = Promise.resolve();
  #counting: Promise<unknown> | undefined;
  #foreignBytes = 0;

  private constructor(
    private readonly root: DataRoot,
    private readonly limits: PullLimits,
    private readonly freeAtFirst: number,
  ) {
    const { timeoutMs, stallMs } = limits;
    const tooLong = `It was not fetched within ${Math.ceil(timeoutMs / 1000)} s.`;
    this.#timers.push(setTimeout(() => this.#end('image-pull-failed', tooLong), timeoutMs));
    this.#stall = setTimeout(() => this.#end('image-pull-failed', 'Its registry stopped sending it.'), stallMs);
    this.#poll();
  }

  /** Throws ImageError image-pull-failed where too little is free before anything is pulled. */
  static async start(root: DataRoot, limits: PullLimits): Promise<PullWatch> {
    const free = await root.freeBytes();
    if (free < limits.freeBytes) throw new ImageError('image-pull-failed', NO_SPACE);
    return new PullWatch(root, limits, free);
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

  #poll(): void {
    this.#timers[1] = setTimeout(() => {
      this.#polling = this.#look()
        .catch((cause: unknown) => this.#end('image-pull-failed', NO_SPACE, cause))
        .then(() => {
          if (!this.#over && !this.signal.aborted) this.#poll();
        });
    }, POLL_MS);
  }

  /** Others write there too: when enough is gone, the pull's own part is counted. Meanwhile the free space is still watched. */
  async #look(): Promise<void> {
    const free = await this.root.freeBytes();
    if (free < this.limits.freeBytes) return this.#end('image-pull-failed', NO_SPACE);
    const gone = this.freeAtFirst - free;
    if (gone - this.#foreignBytes <= this.limits.bytes || this.#counting) return;
    if (!this.root.isVisible) return this.#end('image-too-large', tooLarge(this.limits.bytes));
    this.#counting = this.#count(gone)
      .catch((cause: unknown) => this.#end('image-pull-failed', NO_SPACE, cause))
      .then(() => (this.#counting = undefined));
  }

  async #count(gone: number): Promise<void> {
    const own = await this.root.writtenSince(this.#startedAt, this.limits.bytes);
    if (own === undefined) return this.#end('image-pull-failed', NO_SPACE);
    if (own > this.limits.bytes) return this.#end('image-too-large', tooLarge(this.limits.bytes));
    this.#foreignBytes = gone - own;
  }

  #end(code: 'image-pull-failed' | 'image-too-large', message: string, cause?: unknown): void {
    this.#ended.abort(new ImageError(code, message, { cause }));
  }
}

const NO_SPACE = 'The node has no space left for images.';

export function tooLarge(limitBytes: number): string {
  return `It takes more than ${limitBytes} bytes on the node, unpacked.`;
}
