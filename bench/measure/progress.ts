/** What is done and how long the rest will take, on standard error. */

export class Progress {
  readonly #start = performance.now();
  #last = 0;

  constructor(
    private readonly what: string,
    private readonly total: number,
    private readonly everyMs = 15_000,
  ) {}

  /** Says so at most every `everyMs`, and at the end. */
  report(done: number, leftMs: number | undefined): void {
    const now = performance.now();
    if (done < this.total && now - this.#last < this.everyMs) return;
    this.#last = now;
    console.error(`bench: ${progressLine(this.what, done, this.total, now - this.#start, leftMs)}`);
  }
}

export function progressLine(
  what: string,
  done: number,
  total: number,
  elapsedMs: number,
  leftMs: number | undefined,
): string {
  const left = leftMs === undefined || done === total ? '' : `, ${duration(leftMs)} left`;
  return `${what} ${done} of ${total}, ${duration(elapsedMs)} so far${left}`;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
