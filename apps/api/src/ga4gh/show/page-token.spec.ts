import { describe, expect, it } from 'vitest';
import { BEFORE_ALL, pageToken, placeOf } from './page-token.js';

describe('a page token', () => {
  it.each([
    { createdUs: '1764345600123456', id: '019ac0de-0000-7000-8000-00000000abcd' },
    { createdUs: '0', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' },
    BEFORE_ALL,
  ])('is read back as the place %j', (place) => {
    const token = pageToken(place);
    expect(token).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(placeOf(token)).toEqual(place);
  });

  it.each([
    '',
    'a',
    '/'.repeat(32),
    'A'.repeat(31),
    'A'.repeat(33),
    '_'.repeat(32),
    '7'.repeat(32),
    `${'A'.repeat(31)}=`,
  ])('is none: %j', (text) => {
    expect(placeOf(text)).toBeUndefined();
  });
});
