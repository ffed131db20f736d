import { describe, expect, it } from 'vitest';
import { matchesName, namePattern, pathPattern } from './path-pattern.js';

const matches = (pattern: string, name: string) => matchesName(name, namePattern(pattern));

describe('a pattern', () => {
  it.each([
    ['*', 'a'],
    ['*.txt', 'a.txt'],
    ['*.txt', 'a b\n.txt.txt'],
    ['a*b*c', 'aXbXbc'],
    ['a**b', 'ab'],
    ['?', '𝄞'],
    ['[abc]', 'b'],
    ['[a-c]x', 'bx'],
    ['[!a-c]', 'd'],
    ['[]a]', ']'],
    ['[!]a]', 'b'],
    ['[a-]', '-'],
    ['[[:digit:]_]', '7'],
    ['[[:digit:]_]', '_'],
    ['[[.-.]]', '-'],
    ['[\\]]', ']'],
    ['\\*', '*'],
    ['a\\', 'a\\'],
    ['[a', '[a'],
    ['[', '['],
    ['.*', '.hidden'],
    ['\\.?', '.a'],
    ['(a|b){c,d}', '(a|b){c,d}'],
  ])('%j matches %j', (pattern, name) => expect(matches(pattern, name)).toBe(true));

  it.each([
    ['*.txt', 'a.txt2'],
    ['*.txt', 'txt'],
    ['a*b', 'abc'],
    ['?', ''],
    ['?', 'ab'],
    ['[abc]', 'd'],
    ['[!a-c]', 'b'],
    ['[[:digit:]]', 'a'],
    ['[[:nothing:]]', 'a'],
    ['\\*', 'a'],
    ['*', '.hidden'],
    ['?a', '.a'],
    ['[.]a', '.a'],
    ['[!x]a', '.a'],
    ['{a,b}', 'a'],
    ['**/a', 'b'],
    ['A', 'a'],
  ])('%j does not match %j', (pattern, name) => expect(matches(pattern, name)).toBe(false));

  it('takes no more steps than its length and the name’s multiplied', () => {
    const started = performance.now();
    expect(matches('*a'.repeat(2_000), 'a'.repeat(255))).toBe(false);
    expect(matches('*a'.repeat(100) + 'b', 'a'.repeat(255))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('begins behind the parts of its path that are none', () => {
    expect(pathPattern('/out/a/*.txt')).toMatchObject({ directory: '/out/a', names: [{}] });
    expect(pathPattern('/out/run-?/a')).toMatchObject({ directory: '/out', names: [{}, {}] });
    expect(pathPattern('/out/a')).toMatchObject({ directory: '/out', names: [{}] });
    expect(pathPattern('/*')).toMatchObject({ directory: '/', names: [{}] });
  });
});
