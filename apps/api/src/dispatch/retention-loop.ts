/** Deletes what has expired beside the dispatcher's other duties: however long it takes or often it fails, nothing waits for it. */
import { type Logger } from 'pino';
import { type DataSource } from 'typeorm';
import { Alarm } from './alarm.js';
import { deleteExpired, type RetentionTerms } from './retention.js';

const IDLE_MS = 60_000;
/** Between batches: the database is there for others too. */
const NEXT_BATCH_MS = 200;
/** After a failure; doubled with each in a row. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;

export class Retention {
  private readonly stopping = new AbortController();
  private readonly alarm = new Alarm();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly terms: RetentionTerms,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.alarm.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.stopping.signal.aborted;) {
      let pauseMs: number;
      try {
        pauseMs = (await deleteExpired(this.dataSource.manager, this.terms)) ? NEXT_BATCH_MS : IDLE_MS;
        failures = 0;
      } catch (error) {
        this.logger.error({ err: error }, 'what has expired could not be deleted');
        pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
        failures += 1;
      }
      if (!this.stopping.signal.aborted) await this.alarm.sleep(pauseMs);
    }
  }
}
