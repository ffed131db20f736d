/** Postgres, Redis or an engine under a supervisor that starts it again whenever it has ended, as an init system does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { runningDaemon, stopDaemon } from '../services/daemon.js';
import { type Instance } from '../services/instance.js';
import { type PrivateService } from '../services/service.js';
import { pidOf, signal } from './processes.js';

const LOOK_MS = 500;
const RESTART_MS = 1_000;
const HALF_STARTED_GRACE_MS = 1_000;

export interface ServiceParts {
  readonly service: PrivateService;
  readonly instance: Instance;
  /** As `service.start`; tells of the new address. */
  readonly start: (lastPort: number | undefined) => Promise<string>;
  readonly log: (message: string) => void;
}

export class KeptService {
  #url = '';
  #port: number | undefined;
  #isKept = true;
  #keeping: Promise<void> = Promise.resolve();

  private constructor(private readonly parts: ServiceParts) {}

  static async start(parts: ServiceParts): Promise<KeptService> {
    const kept = new KeptService(parts);
    await kept.#start();
    kept.#keeping = kept.#keep();
    return kept;
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return pidOf(this.parts.service.place(this.parts.instance));
  }

  kill(): void {
    signal([this.pid], 'SIGKILL');
  }

  /** Nobody starts it again after this. */
  async letGo(): Promise<void> {
    this.#isKept = false;
    await this.#keeping;
  }

  async #keep(): Promise<void> {
    const { service, instance, log } = this.parts;
    while (this.#isKept) {
      await sleep(LOOK_MS);
      if (!this.#isKept || runningDaemon(service.place(instance))) continue;
      await sleep(RESTART_MS);
      await this.#start().catch((error: unknown) => {
        log(
          `${service.title} does not start: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
        );
      });
    }
  }

  async #start(): Promise<void> {
    const { service, instance } = this.parts;
    this.#url = await this.parts.start(this.#port).catch(async (error: unknown) => {
      // One that hangs where it cannot start is ended, so that the next try finds nothing in its way.
      const record = runningDaemon(service.place(instance));
      if (record) await stopDaemon(record, HALF_STARTED_GRACE_MS);
      throw error;
    });
    if (URL.canParse(this.#url)) this.#port = Number(new URL(this.#url).port) || undefined;
  }
}
