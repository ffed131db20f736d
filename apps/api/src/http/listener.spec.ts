import { describe, expect, it } from 'vitest';
import { originForm } from './listener.js';

describe('the target of a request', () => {
  it.each([
    ['/', '/'],
    ['/a?b=c', '/a?b=c'],
    ['//a', '//a'],
    ['http://grid', '/'],
    ['http://grid:8080/a?b', '/a?b'],
    ['HTTPS://[::1]/a', '/a'],
    ['http://grid?b', '/?b'],
  ])('%s is the path %s', (target, path) => {
    expect(originForm(target)).toBe(path);
  });

  it.each(['', '*', '?', '\\', 'a', 'http://', 'http://[', 'http://%/', 'javascript:x', '/\xff', '/a b', '/#', '//a#'])(
    '"%s" is none',
    (target) => {
      expect(originForm(target)).toBeUndefined();
    },
  );
});
