import { describe, expect, it } from 'vitest';
import { KnownVersion } from './version.js';

const DIGEST = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);

describe('what the cache has of a URL', () => {
  const known = new KnownVersion({ sha256: DIGEST, bytes: 5 }, '"1"');
  const unnamed = new KnownVersion({ sha256: DIGEST, bytes: 5 }, null);
  const answer = (statusCode: number, etag?: string, bytes: number | null = 5) => ({ statusCode, etag, bytes });

  it('is asked for by its version, where it has one', () => {
    expect(known.headers).toEqual({ 'if-none-match': '"1"' });
    expect(unnamed.headers).toEqual({});
  });

  it.each([
    ['304', answer(304, undefined, null), undefined],
    ['the same version, by a server that takes no conditions', answer(200, '"1"'), undefined],
    ['the same version of a size that is not said', answer(200, '"1"', null), undefined],
    ['another version, and the job names the bytes', answer(200, '"2"'), DIGEST],
  ])('is still there after %s', (_what, given, sha256) => {
    expect(known.isStill(given, sha256)).toBe(true);
  });

  it.each([
    ['another version', answer(200, '"2"'), undefined],
    ['no version', answer(200), undefined],
    ['no version, and the job names other bytes', answer(200), OTHER],
    ['the same version of another size', answer(200, '"1"', 6), undefined],
    ['bytes that the job names, of another size', answer(200, '"2"', 6), DIGEST],
    ['a part', answer(206, '"1"'), DIGEST],
    ['a refusal', answer(403, '"1"'), DIGEST],
    ['an error', answer(500, '"1"'), DIGEST],
  ])('is not known to be there after %s', (_what, given, sha256) => {
    expect(known.isStill(given, sha256)).toBe(false);
  });

  it('is not believed to be there by a server that was asked for no version and says 304', () => {
    expect(unnamed.isStill(answer(304), DIGEST)).toBe(false);
    expect(unnamed.isStill(answer(200), DIGEST)).toBe(true);
  });
});
