import { expect, it } from 'vitest';
import { compareOutputs } from './outputs.js';

it('finds equal outputs identical and shows both digests', () => {
  expect(compareOutputs(new Map([['night', 'ab']]), new Map([['night', 'ab']]))).toEqual({
    lines: ['night: the two outputs are identical (SHA-256)', '  watched     ab', '  restricted  ab'],
    problems: [],
  });
});

it.each([
  ['differ', new Map([['night', 'ab']]), new Map([['night', 'cd']])],
  ['are both missing', new Map([['night', null]]), new Map([['night', null]])],
  ['were never made', new Map<string, string>(), new Map<string, string>()],
])('is not content when the outputs %s', (_how, watched, restricted) => {
  expect(compareOutputs(watched, restricted).problems).toHaveLength(1);
});
