/** Work that goes on beside the dispatcher's duties: one turn after another, until it is stopped. */
import { Alarm } from './alarm.js';

export class Loop {
  readonly #alarm = new Alarm();
  #isStopping = false;
  #running: Promise<void> = Promise.resolve();

  /** `turn` does not reject, and resolves to the milliseconds before the next one. */
  constructor(private readonly turn: () => Promise<number>) {}

  /** A turn that takes long looks at it. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** The next turn is due now. */
  wake(): void {
    this.#alarm.wake();
  }

  /** Resolves when the turn that is going on is over. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const pauseMs = await this.turn();
      if (!this.#isStopping) await this.#alarm.sleep(pauseMs);
    }
  }
}

/** Milliseconds to wait after so many failures in a row before this one: doubled with each. */
export function backOff(failuresBefore: number, firstMs: number, longestMs: number): number {
  return Math.min(firstMs * 2 ** failuresBefore, longestMs);
}
