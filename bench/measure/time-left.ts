/** How long the rest of a plan takes, from how long each kind of run took so far. */
import { type Slot } from '../runs/levels.js';

export interface Kind {
  readonly program: string;
  readonly slot: Slot;
}

/** Milliseconds; undefined before the first run. A kind not seen yet takes as long as all others on average. */
export function timeLeftMs(
  rest: readonly Kind[],
  done: readonly (Kind & { readonly ms: number })[],
): number | undefined {
  if (done.length === 0) return undefined;
  const means = new Map<string, { sum: number; count: number }>();
  const all = { sum: 0, count: 0 };
  for (const run of done) {
    const mean = means.get(keyOf(run)) ?? { sum: 0, count: 0 };
    means.set(keyOf(run), mean);
    for (const total of [mean, all]) {
      total.sum += run.ms;
      total.count += 1;
    }
  }
  return rest.map((run) => means.get(keyOf(run)) ?? all).reduce((total, { sum, count }) => total + sum / count, 0);
}

function keyOf({ program, slot }: Kind): string {
  return `${program} ${slot}`;
}
