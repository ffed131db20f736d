import { seededRandom } from '#lib/overhead';
import { describe, expect, it } from 'vitest';
import { planBlocks, type Schedule } from './block-plan.js';
import { type Slot } from '../runs/levels.js';

const SCHEDULE: Schedule = {
  edf: { enforce: 1, audit: 1, syscalls: 1, strace: 5 },
  calls: { syscalls: 5, strace: 10 },
};
const plan = (blocks: number, seed = 1) => planBlocks(blocks, SCHEDULE, seededRandom(seed));

describe('planBlocks', () => {
  it('has every level as often as the schedule says, from the first block on, and none twice beside it', () => {
    for (const { index, rounds } of plan(20)) {
      const wanted: { readonly program: string; readonly slots: readonly Slot[] }[] = [
        {
          program: 'edf',
          slots: ['none', 'control', 'enforce', 'audit', 'syscalls', ...(index % 5 === 0 ? ['strace' as const] : [])],
        },
      ];
      if (index % 5 === 0) {
        const strace: readonly Slot[] = index % 10 === 0 ? ['strace'] : [];
        wanted.push({ program: 'calls', slots: ['none', 'control', 'syscalls', ...strace] });
      }
      const sorted = (all: typeof wanted) => all.map(({ program, slots }) => ({ program, slots: [...slots].sort() }));
      expect(sorted([...rounds])).toEqual(sorted(wanted));
    }
  });

  it('goes on after the blocks before', () => {
    const [first] = planBlocks(1, SCHEDULE, seededRandom(1), 21);
    expect(first).toMatchObject({ index: 21, rounds: [{ program: 'edf' }] });
    expect(first?.rounds[0]?.slots).not.toContain('strace');
  });

  it('is the same for the same seed, and another one for another', () => {
    expect(plan(50, 7)).toEqual(plan(50, 7));
    expect(plan(50, 7)).not.toEqual(plan(50, 8));
  });

  it('leaves a program out that has nothing but its baseline', () => {
    expect(planBlocks(2, { edf: { none: 1 } }, seededRandom(1)).map(({ rounds }) => rounds)).toEqual([[], []]);
  });

  it('puts every slot at every place about as often', () => {
    const blocks = plan(2000).filter(({ index }) => index % 5 !== 0);
    for (const slot of ['none', 'control', 'enforce', 'audit', 'syscalls'] as const) {
      for (let place = 0; place < 5; place += 1) {
        const times = blocks.filter(({ rounds }) => rounds[0]?.slots[place] === slot).length;
        // Binomial, n = 1600 and p = 0.2: mean 320, standard deviation 16.
        expect(Math.abs(times - 320)).toBeLessThan(5 * 16);
      }
    }
  });
});
