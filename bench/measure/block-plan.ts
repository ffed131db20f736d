/** The order of a bench's runs: blocks, in each of which every program has its levels once and `none` twice, in a random order. */
import { type Random } from '#lib/overhead';
import { type LevelName, type Slot } from '../runs/levels.js';

/** Program -> level -> in every how manieth block, from the first. `none` is in each that has any other. */
export type Schedule = Readonly<Record<string, Readonly<Partial<Record<LevelName, number>>>>>;

/** The runs of one program in one block: neighbours in time. */
export interface Round {
  readonly program: string;
  readonly slots: readonly Slot[];
}

export interface Block {
  /** From 0. */
  readonly index: number;
  readonly rounds: readonly Round[];
}

const BASELINES: readonly Slot[] = ['none', 'control'];

/** `count` blocks from the block `first` on. */
export function planBlocks(count: number, schedule: Schedule, random: Random, first = 0): readonly Block[] {
  return Array.from({ length: count }, (_block, index) => ({
    index: first + index,
    rounds: Object.entries(schedule).flatMap(([program, frequencies]) => {
      const levels = Object.entries(frequencies).flatMap(([level, every]) =>
        (first + index) % every === 0 && level !== 'none' ? [level as LevelName] : [],
      );
      return levels.length === 0 ? [] : [{ program, slots: shuffled([...BASELINES, ...levels], random) }];
    }),
  }));
}

/** Fisher-Yates: every order is equally likely, so neither `none` nor any level is early in its block more often. */
function shuffled<T>(values: readonly T[], random: Random): readonly T[] {
  const order = [...values];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}
