import { expect, it } from 'vitest';
import { counted, megabytes, seconds, table, wrap } from './text.js';

it('lines columns up, numbers to the right, without spaces at the end', () => {
  const rows = [
    ['level', 'runs', 'ratio'],
    ['enforce', '12', '1.004'],
    ['none', '3', 'none: no run to compare with'],
  ];
  expect(table(rows, [1])).toEqual([
    'level    runs  ratio',
    'enforce    12  1.004',
    'none        3  none: no run to compare with',
  ]);
});

it('makes no lines of no rows', () => {
  expect(table([])).toEqual([]);
});

it('fills lines to the width and never breaks a word', () => {
  expect(wrap(['read', 'write', 'openat', 'a-name-longer-than-the-line', 'brk'], 12)).toEqual([
    'read write',
    'openat',
    'a-name-longer-than-the-line',
    'brk',
  ]);
});

it('names units and numbers', () => {
  expect([seconds(1_234_567), megabytes(21_500_000)]).toEqual(['1.235 s', '21.5 MB']);
  expect([counted(1, 'run'), counted(2, 'run'), counted(0, 'box', 'boxes')]).toEqual(['1 run', '2 runs', '0 boxes']);
});
