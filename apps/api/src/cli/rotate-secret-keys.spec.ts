import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSecretKeys } from '#lib/config';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { activateSecretKey, prepareSecretKey } from './rotate-secret-keys.js';

let directory: string;
const file = () => join(directory, 'secrets-key');
const ids = () => readSecretKeys(file()).map(({ id }) => id);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'porin-rotate-'));
  writeFileSync(file(), `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the next key of secrets', () => {
  it('is known before it encrypts, and made once, however often it is asked for', () => {
    const [first] = ids();
    const next = prepareSecretKey(file());
    expect(prepareSecretKey(file())).toBe(next);
    expect(ids()).toEqual([first, next]);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it('comes first when it is activated, and those before it still decrypt', () => {
    const [first] = ids();
    const next = prepareSecretKey(file());
    expect(activateSecretKey(file())).toEqual([next, first]);
    expect(ids()).toEqual([next, first]);
    expect(readdirSync(directory)).toEqual(['secrets-key']);
  });

  it('is made at once where none was prepared, each time another one', () => {
    const [first] = ids();
    const [second] = activateSecretKey(file());
    const third = activateSecretKey(file());
    expect(third.slice(1)).toEqual([second, first]);
    expect(new Set(third).size).toBe(3);
  });
});
