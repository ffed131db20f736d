import { expect, it } from 'vitest';
import { entryParts } from './entry-name.js';

it.each([
  ['a', ['a']],
  ['./a/b c', ['a', 'b c']],
  ['././a', ['a']],
  ['..a/...', ['..a', '...']],
])('%j is in the directory', (name, parts) => {
  expect(entryParts(name)).toEqual(parts);
});

it.each(['', '.', './', '..', '../a', 'a/../b', '/a', '//a', 'a//b', 'a/', './/a', 'a\0b', 'a\nb', 'x'.repeat(256)])(
  '%j is none of a directory',
  (name) => {
    expect(entryParts(name)).toBeNull();
  },
);

it('is no deeper than a hundred', () => {
  expect(entryParts(Array(100).fill('a').join('/'))).toHaveLength(100);
  expect(entryParts(Array(101).fill('a').join('/'))).toBeNull();
});
