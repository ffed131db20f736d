import { describe, expect, it } from 'vitest';
import { planBlocks } from '../measure/block-plan.js';
import { LEVEL_NAMES } from '../runs/levels.js';
import { ENOUGH_BLOCKS, furtherSchedule, monitoringSchedule } from './monitoring-schedule.js';
import { CALLS_PROGRAM, EDF_PROGRAM, PROGRAM_NAMES, REFUSED_PROGRAM } from '../programs/program-names.js';

const ALL = { programs: PROGRAM_NAMES, levels: LEVEL_NAMES };
const LEVELS = LEVEL_NAMES.filter((level) => level !== 'none');

describe('monitoringSchedule', () => {
  it('has everything in its first block, so that one block tries everything out, but trace where it takes minutes', () => {
    const [block] = planBlocks(1, monitoringSchedule(ALL), Math.random);
    const rounds = (block?.rounds ?? []).map(({ program, slots }) => [program, [...slots].sort()] as const);
    const wanted = [...LEVELS, 'none', 'control'].sort();
    const without = wanted.filter((slot) => slot !== 'trace');
    expect(Object.fromEntries(rounds)).toEqual({
      ...Object.fromEntries([...PROGRAM_NAMES, CALLS_PROGRAM].map((program) => [program, without])),
      [EDF_PROGRAM]: wanted,
      [CALLS_PROGRAM]: wanted,
      [REFUSED_PROGRAM]: ['control', 'enforce', 'none'],
    });
  });

  it('has what a bar of a few per cent hangs on in every block, and strace seldom, with baselines beside it', () => {
    const rounds = planBlocks(ENOUGH_BLOCKS, monitoringSchedule(ALL), Math.random).flatMap((block) => block.rounds);
    const times = (program: string, slot: string) =>
      rounds.filter((round) => round.program === program && round.slots.some((name) => name === slot)).length;
    for (const slot of ['none', 'control', 'enforce-files', 'arguments', 'files']) {
      expect(times('edf-normalize', slot)).toBe(ENOUGH_BLOCKS);
    }
    expect(PROGRAM_NAMES.map((program) => times(program, 'strace'))).toEqual([3, 3, 3, 3]);
    for (const { slots } of rounds) expect(slots).toEqual(expect.arrayContaining(['none', 'control']));
  });

  it('leaves out what was not chosen', () => {
    const chosen = { programs: ['tar'], levels: ['syscalls', 'strace'] } as const;
    const [block] = planBlocks(1, monitoringSchedule(chosen), Math.random);
    expect(block?.rounds.map(({ program, slots }) => [program, [...slots].sort()])).toEqual([
      ['tar', ['control', 'none', 'strace', 'syscalls']],
      [CALLS_PROGRAM, ['control', 'none', 'strace', 'syscalls']],
    ]);
    expect(furtherSchedule(chosen)).toEqual({});
  });
});
