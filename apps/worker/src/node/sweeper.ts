/**
 * Removes, at the start and from time to time, what attempts of this node have staged and nobody goes on from; uploads with what
 * the dispatcher seals for that, for the attempt's own secrets are gone with it.
 */
import { type AbandonedStaging } from '../attempt/claim.js';
import { openSecrets, type SecretOpener } from '../attempt/open-secrets.js';
import { type PublisherOptions, sweep } from '../attempt/publisher.js';
import { Postponed } from './postponed.js';

/** Between two looks, of which each ends before the next: so many leases, a minute by default. */
const PAUSE_LEASES = 2;

export interface SweeperOptions extends PublisherOptions {
  readonly node: SecretOpener;
  /** An attempt of the job may still be at work here, though it is lost. */
  readonly isRunning: (jobId: string) => boolean;
  readonly leaseMs: number;
}

export class Sweeper {
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #isStopped = false;
  /** Tokens of stagings of which something could not be removed. */
  readonly #postponed = new Postponed();

  constructor(private readonly options: SweeperOptions) {}

  start(): void {
    this.#sweeping = this.#sweep().then(() => {
      if (!this.#isStopped) this.#timer = setTimeout(() => this.start(), PAUSE_LEASES * this.options.leaseMs);
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { store, logger, isRunning } = this.options;
    try {
      for (const staging of await store.abandoned(this.#postponed.turn())) {
        if (this.#isStopped) return;
        if (isRunning(staging.jobId)) continue;
        if (!(await this.#remove(staging))) this.#postponed.add(staging.token);
      }
    } catch (error) {
      logger.warn({ err: error }, 'staged outputs could not be looked for');
    }
  }

  async #remove(staging: AbandonedStaging): Promise<boolean> {
    const { place, logger, node } = this.options;
    try {
      const { credentials } = await openSecrets(staging, node);
      return await sweep(staging, { ...this.options, place: { ...place, rules: { ...place.rules, credentials } } });
    } catch (error) {
      // It was sealed to an earlier process: it is sealed again.
      logger.info({ err: error, jobId: staging.jobId }, 'staged outputs stay for now');
      return false;
    }
  }
}
