/** Files on a file system that does not answer: the kernel ends no call to it, so whoever waits goes on without the answer. */
import { HttpFailure } from '../failure.js';

export interface StallTerms {
  /** Grows with all that the work has done. */
  readonly moved: () => number;
  readonly stallMs: number;
}

/**
 * Throws HttpFailure where nothing has moved for `stallMs`, twice that at most. The work is told by its signal, and ends when the file
 * system answers.
 */
export async function unlessStalled<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { moved, stallMs }: StallTerms,
  signal: AbortSignal,
): Promise<T> {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_resolve, reject) => {
    let last = -1;
    timer = setInterval(() => {
      const now = moved();
      if (now === last) reject(new HttpFailure(`its file system has not answered for ${stallMs} ms`));
      last = now;
    }, stallMs);
  });
  try {
    return await Promise.race([work(AbortSignal.any([signal, stop.signal])), stalled]);
  } finally {
    clearInterval(timer);
    stop.abort();
  }
}
