import { describe, expect, it } from 'vitest';
import { bearerKey, generateApiKey, hashApiKey } from './api-key.js';

describe('API keys', () => {
  it('carry 256 random bits and are read back from the header', () => {
    const key = generateApiKey();
    expect(Buffer.from(key.slice('porin_'.length), 'base64url')).toHaveLength(32);
    expect(bearerKey(`Bearer ${key}`)).toBe(key);
    expect(hashApiKey(key)).toHaveLength(32);
    expect(generateApiKey()).not.toBe(key);
  });

  it.each([
    undefined,
    '',
    'Bearer ',
    'Bearer porin_short',
    'Basic abc',
    `Bearer ${generateApiKey()} x`,
    `bearer\t${generateApiKey()}`,
  ])('refuses the header %j', (header) => {
    expect(bearerKey(header)).toBeUndefined();
  });
});
