/** Writes the denials of a run to the database while it runs: the first of each shape, and how often each has come. */
import { type Denial, DenialList } from '#lib/execution';

/** A denial and its place among those of the run. */
export interface CountedDenial {
  readonly position: number;
  readonly denial: Denial;
}
export type WriteDenials = (denials: readonly CountedDenial[]) => Promise<void>;

/** Between two statements of one run. */
const PAUSE_MS = 1_000;

export class DenialWriter {
  /** What it writes. */
  readonly list = new DenialList((position) => this.#change(position));
  #changed = new Set<number>();
  /** Set from the first change until a pause in which nothing changed is over. */
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #ended = false;

  /**
   * What `write` rejects with goes to `onProblem`, and what it was to write is tried again: the report at the run's end has
   * everything, so nothing waits for this.
   */
  constructor(
    private readonly write: WriteDenials,
    private readonly onProblem: (error: unknown) => void,
    private readonly pauseMs = PAUSE_MS,
  ) {}

  /** Resolves when nothing is being written, and nothing will be. */
  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  #change(position: number): void {
    this.#changed.add(position);
    if (!this.#ended) this.#timer ??= setTimeout(this.#flush, 0);
  }

  readonly #flush = (): void => {
    if (this.#changed.size === 0) this.#timer = undefined;
    else this.#writing = this.#writeChanged();
  };

  async #writeChanged(): Promise<void> {
    const positions = [...this.#changed];
    this.#changed = new Set();
    try {
      await this.write(
        positions.flatMap((position) => {
          const denial = this.list.at(position);
          return denial ? [{ position, denial }] : [];
        }),
      );
    } catch (error) {
      positions.forEach((position) => this.#changed.add(position));
      this.onProblem(error);
    }
    // Only now, so that a slow database gets fewer statements.
    if (!this.#ended) this.#timer = setTimeout(this.#flush, this.pauseMs);
  }
}
