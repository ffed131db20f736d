import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from './load.js';
import { loadSigningKey } from './signing-key.js';

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'porin-key-'))));
afterAll(() => rmSync(directory, { recursive: true }));

const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;

function keyFile(name: string, contents: string | Buffer, mode = 0o600): string {
  const path = join(directory, name);
  writeFileSync(path, contents, { mode });
  return path;
}

describe('the key that signs decisions', () => {
  it('is read from a file that nobody else can read', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    expect(loadSigningKey(keyFile('good', privateKey.export(pkcs8))).equals(privateKey)).toBe(true);
  });

  it.each([
    ['a file that is not there', () => join(directory, 'absent'), 'cannot be opened (ENOENT)'],
    [
      'a file that others can read',
      () => keyFile('open', generateKeyPairSync('ed25519').privateKey.export(pkcs8), 0o640),
      'is open to other users (mode 0640): run chmod 600',
    ],
    [
      'a key of another kind',
      () => keyFile('ec', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pkcs8)),
      'is no Ed25519 private key',
    ],
    ['what is no key', () => keyFile('text', 'hello'), 'is no Ed25519 private key'],
  ])('is refused from %s, with what to do', (_name, path, problem) => {
    const load = () => loadSigningKey(path());
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(problem);
  });
});
