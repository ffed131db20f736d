import { expect, it } from 'vitest';
import { Postponed } from './postponed.js';

it('leaves out what fails again and again ever longer, and nothing else', () => {
  const postponed = new Postponed();
  const tried: number[] = [];
  for (let turn = 1; turn <= 200; turn++) {
    const skipped = postponed.turn();
    expect(skipped).not.toContain('well');
    if (skipped.includes('failing')) continue;
    tried.push(turn);
    postponed.add('failing');
  }
  expect(tried).toEqual([1, 2, 4, 7, 12, 21, 38, 71, 136]);
});

it('forgets what did not fail again', () => {
  const postponed = new Postponed();
  postponed.turn();
  postponed.add('once');
  expect(postponed.turn()).toEqual([]);
  postponed.turn();
  postponed.add('once');
  expect(postponed.turn()).toEqual([]);
});
