/** The order of a calibration's runs: blocks, each with every level once and `none` twice, in a random order. */
import { type Random } from '#lib/overhead';

export const LEVELS = ['none', 'enforce', 'audit', 'syscalls', 'strace'] as const;
export type LevelName = (typeof LEVELS)[number];

/** `control` is `none` for the second time: what differs between the two is noise. */
export const SLOTS = ['none', 'control', 'enforce', 'audit', 'syscalls', 'strace'] as const;
export type Slot = (typeof SLOTS)[number];

export interface Block {
  /** From 0. */
  readonly index: number;
  readonly slots: readonly Slot[];
}

/** strace takes many times longer than everything else in a block, and shows itself in few runs. */
export const STRACE_EVERY = 5;

export function planBlocks(blocks: number, random: Random): readonly Block[] {
  return Array.from({ length: blocks }, (_block, index) => ({
    index,
    slots: shuffled(
      SLOTS.filter((slot) => slot !== 'strace' || hasStrace(index)),
      random,
    ),
  }));
}

export function hasStrace(blockIndex: number): boolean {
  return blockIndex % STRACE_EVERY === STRACE_EVERY - 1;
}

export function levelOf(slot: Slot): LevelName {
  return slot === 'control' ? 'none' : slot;
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
