import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, readPublicKeys } from '#lib/config';
import { keyIdOf } from '#lib/profiles';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { activateNextKey, preparedKeys, prepareNextKey } from './rotate-key.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'porin-rotate-'));
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(places().signingKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
});
afterEach(() => rmSync(directory, { recursive: true }));

const places = (publicKeys = 'public.pem') => ({
  signingKey: join(directory, 'key.pem'),
  publicKeys: join(directory, publicKeys),
});
const signingId = () => keyIdOf(createPublicKey(readFileSync(places().signingKey)));
const trusted = (where = places()) => readPublicKeys('test', where.publicKeys).map(keyIdOf);

describe('the next signing key', () => {
  it('is made beside the current one, readable by its owner alone, and both are trusted', () => {
    const { current, next } = prepareNextKey(places());
    expect(signingId()).toBe(current);
    expect(next).not.toBe(current);
    expect(trusted()).toEqual([current, next]);
    expect(statSync(`${places().signingKey}.next`).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory).sort()).toEqual(['key.pem', 'key.pem.next', 'public.pem']);
  });

  it('is made once, however often it is asked for', () => {
    expect(prepareNextKey(places())).toEqual(prepareNextKey(places()));
    expect(preparedKeys(places())).toEqual(prepareNextKey(places()));
    expect(trusted()).toHaveLength(2);
  });

  it('takes the place of the current one, which stays trusted', () => {
    const { current, next } = prepareNextKey(places());
    activateNextKey(places());
    expect(signingId()).toBe(next);
    expect(trusted()).toEqual([current, next]);
    expect(statSync(places().signingKey).mode & 0o777).toBe(0o600);
    expect(() => preparedKeys(places())).toThrow(ConfigError);
  });

  it('is a file of its own where the trusted keys are a directory', () => {
    const where = places('trusted');
    mkdirSync(where.publicKeys);
    const { current, next } = prepareNextKey(where);
    expect(trusted(where).sort()).toEqual([current, next].sort());
    expect(readdirSync(where.publicKeys).sort()).toEqual([`${current}.pem`, `${next}.pem`].sort());
  });

  it('is not made over trusted keys that nobody can read', () => {
    writeFileSync(places().publicKeys, 'hello');
    expect(() => prepareNextKey(places())).toThrow(ConfigError);
    expect(readFileSync(places().publicKeys, 'utf8')).toBe('hello');
  });
});
