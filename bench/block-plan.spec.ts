import { seededRandom } from '#lib/overhead';
import { describe, expect, it } from 'vitest';
import { hasStrace, planBlocks, SLOTS, type Slot } from './block-plan.js';

const plan = (blocks: number, seed = 1) => planBlocks(blocks, seededRandom(seed));

describe('planBlocks', () => {
  it('has every slot once per block, and strace in every fifth only', () => {
    for (const { index, slots } of plan(20)) {
      const wanted: readonly Slot[] = SLOTS.filter((slot) => slot !== 'strace' || index % 5 === 4);
      expect([...slots].sort()).toEqual([...wanted].sort());
    }
    expect(plan(100).filter(({ index }) => hasStrace(index))).toHaveLength(20);
  });

  it('is the same for the same seed, and another one for another', () => {
    expect(plan(50, 7)).toEqual(plan(50, 7));
    expect(plan(50, 7)).not.toEqual(plan(50, 8));
  });

  it('puts every slot at every place about as often', () => {
    const blocks = plan(2000).filter(({ index }) => !hasStrace(index));
    for (const slot of SLOTS.filter((name) => name !== 'strace')) {
      for (let place = 0; place < 5; place += 1) {
        const times = blocks.filter(({ slots }) => slots[place] === slot).length;
        // Binomial, n = 1600 and p = 0.2: mean 320, standard deviation 16.
        expect(Math.abs(times - 320)).toBeLessThan(5 * 16);
      }
    }
  });
});
