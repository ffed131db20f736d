/** Writes to the database again what could not be written: a run of hours must not be lost by a moment without Postgres. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Retries {
  readonly times: number;
  readonly pauseMs: number;
}

/** Longer than Postgres takes to start again, and no longer than a lease is kept without it. */
export const RETRIES: Retries = { times: 30, pauseMs: 1_000 };

/** Rejects with what the last try rejected with. */
export async function appendAgain(append: () => Promise<void>, retries: Retries): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await append();
    } catch (error) {
      if (tries === retries.times) throw error;
      await sleep(retries.pauseMs);
    }
  }
}
