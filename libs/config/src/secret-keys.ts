/** Reads the keys that secrets are encrypted under in the database: the first encrypts, all of them decrypt. */
import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import { fileRefusal, readPrivateFile } from './private-file.js';

export interface SecretKey {
  /** The first 16 hexadecimal digits of the SHA-256 of the key. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: KeyObject;
}

const KEY_BYTES = 32;

/** Throws ConfigError, with what to do, for a file that is missing, open to others, or holds anything but keys. */
export function readSecretKeys(path: string): readonly SecretKey[] {
  const refuse = fileRefusal('PORIN_SECRETS_KEY_FILE', path);
  const lines = readPrivateFile(path, refuse)
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const keys = lines.flatMap((line) => parseSecretKey(line) ?? []);
  if (keys.length === 0 || keys.length < lines.length) {
    throw refuse('must have a line of base64 for each key of 32 bytes: "openssl rand -base64 32" makes one');
  }
  return keys;
}

/** Undefined for what is no key. */
export function parseSecretKey(line: string): SecretKey | undefined {
  const text = line.trim();
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== text) return undefined;
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 16), key: createSecretKey(bytes) };
}
