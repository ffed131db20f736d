/** Ends a transfer that moves its bytes too slowly, however steadily it does: pauses alone say nothing of its end. */
import { HttpFailure } from '../failure.js';
import { type HttpTimeouts } from '../rules.js';

/** So long a timer can wait. */
const TIMER_MAXIMUM_MS = 2 ** 31 - 1;

export class LeastRate {
  readonly #startedAt = performance.now();
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** From now on. `onSlow` is called once, when fewer bytes were moved than the least rate moves after the grace. */
  constructor(
    private readonly terms: Pick<HttpTimeouts, 'graceMs' | 'leastBytesPerS'>,
    private readonly onSlow: (failure: HttpFailure) => void,
  ) {
    this.#wait();
  }

  moved(bytes: number): void {
    this.#bytes += bytes;
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #wait(): void {
    const { graceMs, leastBytesPerS } = this.terms;
    const leftMs = this.#startedAt + graceMs + (this.#bytes / leastBytesPerS) * 1000 - performance.now();
    if (leftMs > 0) this.#timer = setTimeout(() => this.#wait(), Math.min(Math.ceil(leftMs), TIMER_MAXIMUM_MS));
    else this.onSlow(new HttpFailure(`fewer than ${leastBytesPerS} bytes a second were moved, beyond ${graceMs} ms`));
  }
}
