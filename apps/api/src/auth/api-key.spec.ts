import { describe, expect, it } from 'vitest';
import { generateApiKey, hashApiKey, keyInHeader } from './api-key.js';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('API keys', () => {
  it('carry 256 random bits and are read back from the header', () => {
    const key = generateApiKey();
    expect(Buffer.from(key.slice('porin_'.length), 'base64url')).toHaveLength(32);
    expect(keyInHeader(`Bearer ${key}`)).toBe(key);
    expect(hashApiKey(key)).toHaveLength(32);
    expect(generateApiKey()).not.toBe(key);
  });

  it.each(['', 'anybody', 'a b', 'größe'])('are the password of the user "%s" too', (user) => {
    const key = generateApiKey();
    expect(keyInHeader(basic(`${user}:${key}`))).toBe(key);
    expect(keyInHeader(basic(`${user}:${key}`).replace('Basic', 'basic'))).toBe(key);
  });

  it.each([
    undefined,
    '',
    'Bearer ',
    'Bearer porin_short',
    'Basic abc',
    `Bearer ${generateApiKey()} x`,
    `bearer\t${generateApiKey()}`,
    `Basic ${generateApiKey()}`,
    `Basic *${basic(`a:${generateApiKey()}`).slice('Basic '.length)}`,
    basic(generateApiKey()),
    basic(`${generateApiKey()}:`),
    basic(`a:b:${generateApiKey()}`),
    basic(`a:${generateApiKey()} `),
    basic('None:None'),
    `Bearer ${basic(`a:${generateApiKey()}`).slice('Basic '.length)}`,
  ])('refuses the header %j', (header) => {
    expect(keyInHeader(header)).toBeUndefined();
  });
});
