/** One pull at a time on this node: the space that each takes can be told, and none takes the line from all others. */

export class PullTurn {
  #last: Promise<unknown> = Promise.resolve();

  /** Rejects with the signal's reason when it is aborted before the turn comes. */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const mine = (async () => {
      await before;
      signal.throwIfAborted();
      return work();
    })();
    this.#last = mine.catch(() => undefined);
    return Promise.race([mine, aborted(signal, mine)]);
  }
}

/** Whoever waits need not wait for the turn to be told that it is aborted. */
function aborted(signal: AbortSignal, work: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const forget = () => signal.removeEventListener('abort', onAbort);
    void work.then(forget, forget);
  });
}
