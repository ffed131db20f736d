/** How often the dispatcher does what it does again and again. */

export interface Periods {
  /** Whoever misses a wake-up looks by itself. */
  readonly lookMs: number;
  readonly settleMs: number;
  readonly reconcileMs: number;
  /** Of usage and of why jobs wait, which nobody needs sooner. */
  readonly tellMs: number;
  readonly redisMs: number;
  readonly usageMs: number;
}

/** All in proportion to one. */
export function periodsOf(lookMs: number): Periods {
  return {
    lookMs,
    settleMs: lookMs / 4,
    reconcileMs: 3 * lookMs,
    tellMs: 2.5 * lookMs,
    redisMs: 2 * lookMs,
    usageMs: 5 * lookMs,
  };
}
