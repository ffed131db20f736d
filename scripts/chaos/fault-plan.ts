/** Which fault strikes which part, when and for how long: a pure function of the seed. */
import { seededRandom } from '#lib/overhead';

export interface FaultKind {
  readonly name: string;
  /** One of them is struck. */
  readonly parts: readonly string[];
  /** At least and at most, seconds. */
  readonly lastsS: readonly [number, number];
}

export interface PlannedFault {
  readonly kind: string;
  readonly part: string;
  readonly atMs: number;
  readonly lastsMs: number;
}

/** A part is left alone for so long after a fault, so that what heals by itself can. */
const REST_MS = 5_000;

/**
 * Every kind once in a random order, then again, until there are enough. Two faults may overlap, but not on one part: there the
 * later one waits.
 */
export function planFaults(
  kinds: readonly FaultKind[],
  count: number,
  withinMs: number,
  seed: number,
): readonly PlannedFault[] {
  if (kinds.length === 0) return [];
  const random = seededRandom(seed);
  const order = Array.from({ length: Math.ceil(count / kinds.length) }, () => shuffled(kinds, random)).flat();
  const freeAt = new Map<string, number>();
  return order.slice(0, count).map(({ name, parts, lastsS: [least, most] }, index) => {
    const part = parts[Math.floor(random() * parts.length)] ?? '';
    const lastsMs = Math.round((least + random() * (most - least)) * 1_000);
    const atMs = Math.max(Math.round(((index + random()) / count) * withinMs), freeAt.get(part) ?? 0);
    freeAt.set(part, atMs + lastsMs + REST_MS);
    return { kind: name, part, atMs, lastsMs };
  });
}

function shuffled<T>(values: readonly T[], random: () => number): readonly T[] {
  const left = [...values];
  return values.map(() => left.splice(Math.floor(random() * left.length), 1)[0] as T);
}
