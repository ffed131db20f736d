import { describe, expect, it } from 'vitest';
import { DEPTH_MAXIMUM, jsonProblem, VALUES_MAXIMUM } from './scan-json.js';

const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);

describe('the scan of JSON text', () => {
  it.each([
    '{}',
    '{"a":1,"b":{"a":[1,{"a":"x"},{"a":"x"}]},"":"a"}',
    '["a","a",{"a":"a"}]',
    String.raw`{"a\"":"\\","a\\":1}`,
    '{"a":"{[,\\"","b":2}',
    'no JSON',
    '{"a',
    '"\\',
    ']]}}',
  ])('finds nothing wrong with %j', (text) => {
    expect(jsonProblem(text)).toBeNull();
  });

  it.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
    ['arrays that never end', '[', ''],
  ])('bounds the depth of %s', (_what, open, close) => {
    expect(jsonProblem(nested(open, close, DEPTH_MAXIMUM))).toBeNull();
    expect(jsonProblem(nested(open, close, DEPTH_MAXIMUM + 1))?.kind).toBe('too-complex');
  });

  it.each([
    ['elements', (count: number) => `[${'0,'.repeat(count - 2)}0]`],
    [
      'empty arrays',
      (count: number) =>
        `[${Array(Math.floor(count / 2))
          .fill('[]')
          .join()}]`,
    ],
    ['members', (count: number) => `{${Array.from({ length: count - 1 }, (_, index) => `"${index}":0`).join()}}`],
  ])('bounds the number of %s', (_what, make) => {
    expect(jsonProblem(make(VALUES_MAXIMUM))).toBeNull();
    expect(jsonProblem(make(VALUES_MAXIMUM + 2))?.kind).toBe('too-complex');
  });

  it.each([
    '{"a":1,"a":2}',
    String.raw`{"a":1,"\u0061":2}`,
    '[{"b":{"a":[],"c":{},"a":0}}]',
    '{"__proto__":1,"__proto__":2}',
  ])('finds the name that %j has twice', (text) => {
    expect(jsonProblem(text)?.kind).toBe('repeated-name');
  });
});
