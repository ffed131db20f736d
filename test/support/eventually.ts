/** Waits until an assertion holds; throws its last failure after a deadline far beyond any honest delay. */
import { setTimeout as sleep } from 'node:timers/promises';

export async function eventually<T>(assertion: () => Promise<T>, timeoutMs = 60_000): Promise<T> {
  for (const deadline = Date.now() + timeoutMs; ;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}
