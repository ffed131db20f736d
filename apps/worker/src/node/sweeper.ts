/** Removes, at the start and from time to time, what attempts of this node have staged and nobody goes on from. */
import { type PublisherOptions, sweep } from '../attempt/publisher.js';

/** Between two looks: so many leases, a minute by default. */
const PAUSE_LEASES = 2;

export class Sweeper {
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();

  /** `isRunning`: an attempt of the job may still be at work here, though it is lost. */
  constructor(
    private readonly options: PublisherOptions & {
      readonly isRunning: (jobId: string) => boolean;
      readonly leaseMs: number;
    },
  ) {}

  start(): void {
    const turn = () => (this.#sweeping = this.#sweep());
    void turn();
    this.#timer = setInterval(() => void turn(), PAUSE_LEASES * this.options.leaseMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { store, logger, isRunning } = this.options;
    try {
      for (const staging of await store.abandoned()) if (!isRunning(staging.jobId)) await sweep(staging, this.options);
    } catch (error) {
      logger.warn({ err: error }, 'staged outputs could not be looked for');
    }
  }
}
