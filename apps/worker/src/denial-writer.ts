/** Writes the denials of a run to the database while it runs: the first of each shape, and how often each has come. */
import { type Denial } from '#lib/execution';

/** A denial and its place among those of the run. */
export interface CountedDenial {
  readonly position: number;
  readonly denial: Denial;
}
export type WriteDenials = (denials: readonly CountedDenial[]) => Promise<void>;

/** Between two statements of one run. */
const PAUSE_MS = 1_000;

export class DenialWriter {
  readonly #known: Denial[] = [];
  #changed = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #ended = false;

  /**
   * What `write` rejects with goes to `onProblem`, and what it was to write comes again with the next change: the report at
   * the run's end has everything, so nothing waits for this.
   */
  constructor(
    private readonly write: WriteDenials,
    private readonly onProblem: (error: unknown) => void,
    private readonly pauseMs = PAUSE_MS,
  ) {}

  /** The first of its shape. */
  readonly add = (denial: Denial): void => {
    this.#changed.add(this.#known.push(denial) - 1);
    this.#schedule(0);
  };

  /** How often the denial of this position has come by now. */
  readonly count = (position: number, count: number): void => {
    const denial = this.#known[position];
    if (!denial) return;
    this.#known[position] = { ...denial, count };
    this.#changed.add(position);
    this.#schedule(this.pauseMs);
  };

  /** Resolves when nothing is being written, and nothing will be: the report has the rest. */
  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  #schedule(ms: number): void {
    if (!this.#ended) this.#timer ??= setTimeout(() => (this.#writing = this.#flush()), ms);
  }

  async #flush(): Promise<void> {
    const positions = [...this.#changed];
    this.#changed = new Set();
    try {
      await this.write(
        positions.flatMap((position) => {
          const denial = this.#known[position];
          return denial ? [{ position, denial }] : [];
        }),
      );
    } catch (error) {
      positions.forEach((position) => this.#changed.add(position));
      this.onProblem(error);
    }
    // The pause begins when the statement has ended, so that a slow database gets fewer of them.
    if (this.#ended) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#changed.size > 0) this.#writing = this.#flush();
    }, this.pauseMs);
  }
}
