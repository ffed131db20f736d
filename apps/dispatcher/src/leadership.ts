/**
 * Which of several dispatchers works: the one that holds the lease. It expires on the database's clock, so that a dispatcher that
 * is frozen, cut off or dead holds up nothing for longer; and each taking of it has a number of its own, the epoch, which every
 * transaction of the leader finds unchanged before it commits.
 */
import { type EntityManager } from 'typeorm';

/** What writes in transactions: a leader, or in tests the database itself. */
export interface Transactions {
  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T>;
}

/** Another dispatcher leads, or may: what this one was about to write is not written. */
export class LeaseLostError extends Error {
  constructor() {
    super('another dispatcher has taken the lease');
  }
}

export class Leadership implements Transactions {
  readonly #lost = new AbortController();

  constructor(
    private readonly database: Transactions,
    readonly epoch: string,
  ) {}

  /** Aborted when the lease is lost; no transaction succeeds after that. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  lose(): void {
    this.#lost.abort();
  }

  /** Throws LeaseLostError, and then nothing of it is written. */
  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.database.transaction(async (manager) => {
      this.#require();
      const result = await work(manager);
      this.#require();
      await holdEpoch(manager, this.epoch).catch((error: unknown) => {
        if (error instanceof LeaseLostError) this.lose();
        throw error;
      });
      return result;
    });
  }

  #require(): void {
    if (this.lost.aborted) throw new LeaseLostError();
  }
}

/**
 * Until the end of the transaction nobody takes the lease, where it has written something: a lock is a write too, which a
 * transaction that only looked need not wait to see on disk. At its end rather than at its beginning, so that whoever wants to
 * take the lease never waits for the work. Throws LeaseLostError.
 */
export async function holdEpoch(manager: EntityManager, epoch: string): Promise<void> {
  const [now]: { hasWritten: boolean }[] = await manager.query(
    `SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS "hasWritten" FROM dispatcher_lease WHERE epoch = $1`,
    [epoch],
  );
  if (!now) throw new LeaseLostError();
  if (!now.hasWritten) return;
  const locked: unknown[] = await manager.query('SELECT FROM dispatcher_lease WHERE epoch = $1 FOR KEY SHARE', [epoch]);
  if (locked.length === 0) throw new LeaseLostError();
}
