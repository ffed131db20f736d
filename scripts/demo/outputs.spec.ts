import { expect, it } from 'vitest';
import { compareOutputs } from './outputs.js';

it('finds equal outputs identical and shows their digest', () => {
  const night = new Map([['night', 'ab']]);
  expect(compareOutputs({ watched: night, audited: night, restricted: night })).toEqual({
    lines: ['night: the outputs are identical, watched, audited, restricted: SHA-256 ab'],
    problems: [],
  });
});

it('shows what differs', () => {
  const [watched, restricted] = [new Map([['night', 'ab']]), new Map([['night', null]])];
  expect(compareOutputs({ watched, restricted }).lines).toEqual([
    'night: the outputs are NOT identical',
    '  watched  ab',
    '  restricted  was not written',
  ]);
});

it.each([
  ['differ', new Map([['night', 'ab']]), new Map([['night', 'cd']])],
  ['are both missing', new Map([['night', null]]), new Map([['night', null]])],
  ['were never made', new Map<string, string>(), new Map<string, string>()],
])('is not content when the outputs %s', (_how, watched, restricted) => {
  expect(compareOutputs({ watched, restricted }).problems).toHaveLength(1);
});
