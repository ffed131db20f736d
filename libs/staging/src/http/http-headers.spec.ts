import { describe, expect, it } from 'vitest';
import { mayBeKept, strongEtag } from './http-headers.js';

describe('an ETag', () => {
  it.each(['"1"', '"a b"', '"5d41402abc4b2a76b9719d911017c592-2"', '"é"'])('%j is strong', (header) => {
    expect(strongEtag(header)).toBe(header);
  });

  it.each(['W/"1"', '""', '1', '"1', '"a"b"', '"a\nb"', '"a\0"', '"\u{3164}"', undefined])('%j is not', (header) => {
    expect(strongEtag(header)).toBeUndefined();
  });

  it('is none where there are two', () => {
    expect(strongEtag(['"1"', '"1"'])).toBeUndefined();
  });
});

it.each<[string | string[] | undefined, boolean]>([
  [undefined, true],
  ['private, max-age=0', true],
  ['No-Store', false],
  ['private,no-store', false],
  [['private', 'no-store'], false],
])('what is sent with Cache-Control %j may be kept: %j', (header, expected) => {
  expect(mayBeKept(header)).toBe(expected);
});
