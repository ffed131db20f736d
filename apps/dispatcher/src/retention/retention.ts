/** Deletes what has expired beside the dispatcher's other duties: however long it takes or often it fails, nothing waits for it. */
import { type Logger } from 'pino';
import { type Transactions } from '../leadership.js';
import { backOff, Loop } from '../loop.js';
import { deleteExpired, type RetentionTerms } from './expired.js';

const IDLE_MS = 60_000;
/** Between batches: the database is there for others too. */
const NEXT_BATCH_MS = 200;
/** After a failure; doubled with each in a row. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;

export class Retention {
  private readonly loop = new Loop(() => this.turn());
  private failures = 0;

  constructor(
    private readonly database: Transactions,
    private readonly terms: RetentionTerms,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async turn(): Promise<number> {
    try {
      const mayBeMore = await deleteExpired(this.database, this.terms);
      this.failures = 0;
      return mayBeMore ? NEXT_BATCH_MS : IDLE_MS;
    } catch (error) {
      this.logger.error({ err: error }, 'what has expired could not be deleted');
      return backOff(this.failures++, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    }
  }
}
