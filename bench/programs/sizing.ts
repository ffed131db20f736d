/** How long a recording must be for the payload to take as long as wanted. */

/** Milliseconds: long enough that starting Python is a small part, short enough for many blocks. */
export const WALL_MS = { minimum: 500, target: 700, maximum: 1000 } as const;
export const FIRST_MINUTES = 20;

export interface Sized {
  readonly minutes: number;
  readonly wallMs: number;
}

/**
 * The next length to try, or the last one when it does. A payload's time is a start and a part that grows with the
 * recording's length: the line through the last two tries, or through the origin after the first one.
 */
export function nextMinutes(tries: readonly Sized[]): number {
  const last = tries.at(-1);
  if (!last) return FIRST_MINUTES;
  if (isSized(last)) return last.minutes;
  const before = tries.at(-2) ?? { minutes: 0, wallMs: 0 };
  const msPerMinute = (last.wallMs - before.wallMs) / (last.minutes - before.minutes);
  if (!(msPerMinute > 0)) return last.wallMs < WALL_MS.target ? last.minutes * 2 : last.minutes / 2;
  const wanted = last.minutes + (WALL_MS.target - last.wallMs) / msPerMinute;
  return Math.min(last.minutes * 8, Math.max(last.minutes / 8, Math.round(wanted * 10) / 10));
}

export function isSized({ wallMs }: Sized): boolean {
  // Within these, not at their edges: a quicker hour of the same machine must not leave them.
  return wallMs >= WALL_MS.minimum * 1.15 && wallMs <= WALL_MS.maximum * 0.85;
}
