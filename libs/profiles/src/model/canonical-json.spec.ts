import { describe, expect, it } from 'vitest';
import { canonicalJson, type CanonicalValue, digestOf, isDigest } from './canonical-json.js';

describe('canonicalJson', () => {
  it('sorts members by UTF-16 code units at every depth (RFC 8785, section 3.2.3)', () => {
    // The example of the section, with its members' values.
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\u{1f600}': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    const order = [...canonicalJson({ outer: value }).matchAll(/:"([^"]+)"/g)].map((match) => match[1]);
    expect(order).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  it.each<[CanonicalValue, string]>([
    [{ b: [3, 1, 2], a: { d: null, c: true } }, '{"a":{"c":true,"d":null},"b":[3,1,2]}'],
    ['\u20ac$\u000f\nA\'B"\\\\"/\u007f', '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\u007f"'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [-1, '-1'],
    [[], '[]'],
    [{}, '{}'],
    ['\u{1f600}', '"\u{1f600}"'],
  ])('writes %j as %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it.each([
    [1.5, '$ is not a safe integer'],
    [-0, '$ is not a safe integer'],
    [Number.NaN, '$ is not a safe integer'],
    [2 ** 53, '$ is not a safe integer'],
    [{ a: [0, undefined] }, '$.a[1] is no JSON value'],
    [[, 1], '$[0] is no JSON value'], // eslint-disable-line no-sparse-arrays
    [{ a: undefined }, '$.a is no JSON value'],
    [{ a: new Date(0) }, '$.a is no JSON value'],
    [1n, '$ is no JSON value'],
    [{ a: '\ud800' }, '$.a holds a lone surrogate'],
    [{ '\udc00': 1 }, '$ holds a lone surrogate'],
  ])('refuses %s', (value, message) => {
    expect(() => canonicalJson(value as CanonicalValue)).toThrow(new TypeError(message));
  });
});

describe('digestOf', () => {
  it('is the SHA-256 of the canonical text, whatever the order of members', () => {
    // printf '{"a":1,"b":"\xc3\xbc"}' | sha256sum
    const digest = 'sha256:1a59e522e02ce50ad2c27c11a6d30f8667489c199580627fe9e3e33e2b0e91d5';
    expect(digestOf({ b: 'ü', a: 1 })).toBe(digest);
    expect(digestOf({ a: 1, b: 'ü' })).toBe(digest);
    expect(isDigest(digest)).toBe(true);
    expect(isDigest(digest.toUpperCase())).toBe(false);
  });
});
