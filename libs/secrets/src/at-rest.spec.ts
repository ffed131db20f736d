import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decryptSecret, encryptSecret, type SecretPlace, SecretUnreadable } from './at-rest.js';

const key = (id: string) => ({ id, key: createSecretKey(randomBytes(32)) });
const [first, second] = [key('1'), key('2')];
const VALUE = { kind: 'bearer', token: 'swordfish' } as const;
const PLACE: SecretPlace = {
  tenant: 'lab',
  name: 'archive',
  kind: 'bearer',
  prefix: 'https://archive.example.org/',
  usableBy: ['b', 'a'],
};

describe('a secret at rest', () => {
  const stored = encryptSecret([first, second], PLACE, VALUE);

  it('opens under any key of the file, for its own place, whatever the order of those who may use it', () => {
    expect(stored.keyId).toBe('1');
    expect(decryptSecret([second, first], { ...PLACE, usableBy: ['a', 'b'] }, stored)).toEqual(VALUE);
  });

  it('has none of its value in what is stored, nor is stored twice in the same way', () => {
    expect(stored.encrypted.includes('swordfish')).toBe(false);
    expect(encryptSecret([first], PLACE, VALUE).encrypted.equals(stored.encrypted)).toBe(false);
  });

  it.each([
    ['another tenant', { tenant: 'other' }],
    ['another name', { name: 'other' }],
    ['another kind', { kind: 'basic' }],
    ['another prefix', { prefix: 'https://elsewhere.example.org/' }],
    ['others who may use it', { usableBy: ['c'] }],
    ['all who may use it', { usableBy: null }],
  ] as const)('does not open for %s', (_name, change) => {
    expect(() => decryptSecret([first], { ...PLACE, ...change }, stored)).toThrow(SecretUnreadable);
  });

  it('does not open when it was changed, cut, or its key is gone, and the error says which key', () => {
    const changed = Buffer.from(stored.encrypted);
    changed[20] = (changed[20] ?? 0) ^ 1;
    for (const encrypted of [changed, stored.encrypted.subarray(0, 20), Buffer.alloc(0)]) {
      expect(() => decryptSecret([first], PLACE, { keyId: '1', encrypted })).toThrow(SecretUnreadable);
    }
    expect(() => decryptSecret([second], PLACE, stored)).toThrow('its key, 1, is not in PORIN_SECRETS_KEY_FILE');
  });
});
