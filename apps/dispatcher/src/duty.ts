/** What the dispatcher does again and again: each duty by its own clock, and what goes wrong in one ends no other. */
import { type Logger } from 'pino';
import { backOff } from './loop.js';

export type Duty = () => Promise<unknown>;

/** Before a duty that failed is tried again; doubled each time. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;

/** Does nothing until the pause after the last time is over. */
export function paced<T>(work: () => Promise<T>, pauseMs: (result: T) => number): Duty {
  let dueAt = -Infinity;
  return async () => {
    if (performance.now() < dueAt) return;
    const result = await work();
    dueAt = performance.now() + pauseMs(result);
  };
}

/** Each after the one before it, with a clock of its own. */
export function every(pauseMs: number, ...works: readonly Duty[]): readonly Duty[] {
  return works.map((work) => paced(work, () => pauseMs));
}

/** One that never rejects: it rests after a failure, and tells of the same one once until it succeeds. */
export function guarded(duty: Duty, logger: Pick<Logger, 'error'>, pauseMs = FIRST_PAUSE_MS): Duty {
  let dueAt = -Infinity;
  let failures = 0;
  let told: string | undefined;
  return async () => {
    if (performance.now() < dueAt) return;
    try {
      await duty();
      failures = 0;
      told = undefined;
    } catch (error) {
      dueAt = performance.now() + backOff(failures++, pauseMs, LONGEST_PAUSE_MS);
      const message = error instanceof Error ? error.message : String(error);
      if (message !== told) logger.error({ err: error }, 'a duty of the dispatcher failed, and is tried again');
      told = message;
    }
  };
}
