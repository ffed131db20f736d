/** Writes a run's trace to the database while it runs: the parts in order, each when the one before it is there. */
import { appendAgain, RETRIES } from './append-again.js';

export type AppendPart = (offset: number, content: Buffer) => Promise<void>;

/** What the given function rejects with at last is rejected with. */
export function traceWriter(append: AppendPart, retries = RETRIES): (part: Buffer) => Promise<void> {
  let offset = 0;
  return async (part) => {
    await appendAgain(() => append(offset, part), retries);
    offset += part.length;
  };
}
