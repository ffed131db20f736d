/** Says again and again that this node is alive, at once where it is woken; more often while the node cannot work. */

const EVERY_MS = 10_000;
/** So that it takes jobs again soon after it can. */
const AILING_EVERY_MS = 2_000;

export class Heartbeat {
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #isWoken = false;
  #isStarted = false;

  /** `beat` never rejects, and resolves to whether the node can work. */
  constructor(private readonly beat: () => Promise<boolean>) {}

  start(): void {
    this.#isStarted = true;
    this.#schedule(EVERY_MS);
  }

  /** Any number of times while a beat goes on, one more follows it. Without effect before the start. */
  wake(): void {
    if (!this.#isStarted) return;
    if (this.#beating) this.#isWoken = true;
    else this.#turn();
  }

  /** Resolves when the last one is over. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    clearTimeout(this.#timer);
    await this.#beating;
  }

  #turn(): void {
    clearTimeout(this.#timer);
    this.#isWoken = false;
    this.#beating = this.beat().then((isWell) => {
      this.#beating = undefined;
      if (!this.#isStarted) return;
      if (this.#isWoken) this.#turn();
      else this.#schedule(isWell ? EVERY_MS : AILING_EVERY_MS);
    });
  }

  #schedule(pauseMs: number): void {
    this.#timer = setTimeout(() => this.#turn(), pauseMs);
  }
}
