/** A leader that alone has lost Redis places jobs that no node hears of: it lets another dispatcher lead, where one stands by. */
import { type Logger } from 'pino';
import { type Leadership } from './leadership.js';
import { type NodeQueues } from './placement/node-queues.js';

/** Longer than Redis takes to start again. */
const PATIENCE_MS = 10_000;
/** Sessions of dispatchers on this database, that of the leader included. */
const DISPATCHERS = `SELECT count(*)::integer AS count FROM pg_stat_activity
  WHERE application_name = 'porin-dispatch' AND datname = current_database()`;

export class RedisAway {
  private sinceMs: number | undefined;

  constructor(
    private readonly queues: NodeQueues,
    private readonly logger: Logger,
  ) {}

  /** Loses the lease where Redis has not answered for a while and there is somebody else. */
  async look(leadership: Leadership): Promise<void> {
    try {
      await this.queues.check();
      this.sinceMs = undefined;
      return;
    } catch {
      this.sinceMs ??= performance.now();
    }
    if (performance.now() - this.sinceMs < PATIENCE_MS) return;
    const [row]: { count: number }[] = await leadership.transaction((manager) => manager.query(DISPATCHERS));
    if ((row?.count ?? 0) < 2) return;
    this.logger.warn('Redis does not answer this dispatcher: another one may lead');
    this.sinceMs = undefined;
    leadership.lose();
  }
}
