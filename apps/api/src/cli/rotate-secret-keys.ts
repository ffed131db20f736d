/** Changes which key of PORIN_SECRETS_KEY_FILE encrypts, and encrypts anew what another one has encrypted. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { parseSecretKey, readSecretKeys } from '#lib/config';
import { Secret } from '#lib/database';
import { decryptSecret, encryptSecret, type SecretKey } from '#lib/secrets';
import { type EntityManager, Not } from 'typeorm';
import { writeWhole } from './rotate-key.js';

const KEY_BYTES = 32;

/** Has the key that is to encrypt next, a line of base64, while that is prepared. */
function nextFile(path: string): string {
  return `${path}.next`;
}

/**
 * Makes the next key where there is none yet, and adds it behind those of the file: it decrypts from now on, and another one goes
 * on encrypting. The id of the next key. Throws ConfigError.
 */
export function prepareSecretKey(path: string): string {
  readSecretKeys(path);
  if (!existsSync(nextFile(path))) {
    writeWhole(nextFile(path), `${randomBytes(KEY_BYTES).toString('base64')}\n`, 0o600, path);
  }
  const next = nextLine(path);
  const lines = linesOf(path);
  if (!lines.includes(next)) writeLines(path, [...lines, next]);
  return idOf(next);
}

/** The prepared key, or a new one, comes first in the file; the others stay. The ids, that one first. Throws ConfigError. */
export function activateSecretKey(path: string): readonly string[] {
  prepareSecretKey(path);
  const next = nextLine(path);
  writeLines(path, [next, ...linesOf(path).filter((line) => line !== next)]);
  rmSync(nextFile(path));
  return readSecretKeys(path).map(({ id }) => id);
}

/** Of all tenants; how many they were. In a transaction. Throws SecretUnreadable, and nothing is changed then. */
export async function encryptAnew(manager: EntityManager, keys: readonly SecretKey[]): Promise<number> {
  const secrets = await manager.find(Secret, {
    where: { keyId: Not(keys[0]?.id ?? '') },
    lock: { mode: 'pessimistic_write' },
  });
  for (const { tenant, name, kind, prefix, usableBy, keyId, encrypted } of secrets) {
    const place = { tenant, name, kind, prefix, usableBy };
    const value = decryptSecret(keys, place, { keyId, encrypted });
    await manager.update(Secret, { tenant, name }, encryptSecret(keys, place, value));
  }
  return secrets.length;
}

function linesOf(path: string): readonly string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function nextLine(path: string): string {
  const [key] = readSecretKeys(nextFile(path));
  return key?.key.export().toString('base64') ?? '';
}

function idOf(line: string): string {
  return parseSecretKey(line)?.id ?? '';
}

function writeLines(path: string, lines: readonly string[]): void {
  writeWhole(path, `${lines.join('\n')}\n`, 0o600, path);
}
