/** Makes the next signing key beside the current one, and puts it in its place: at every moment all nodes trust what signs. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { loadSigningKey, readPublicKeys } from '#lib/config';
import { keyIdOf } from '#lib/profiles';

export interface KeyPlaces {
  readonly signingKey: string;
  /** A PEM file, or a directory of such. */
  readonly publicKeys: string;
}

export interface KeyIds {
  readonly current: string;
  readonly next: string;
}

export function nextKeyFile({ signingKey }: Pick<KeyPlaces, 'signingKey'>): string {
  return `${signingKey}.next`;
}

/**
 * Makes the next key (mode 0600, of the current one's owner) where there is none yet, and adds both public keys to those that
 * are trusted. The current key goes on signing. Throws ConfigError.
 */
export function prepareNextKey(places: KeyPlaces): KeyIds {
  const current = createPublicKey(loadSigningKey(places.signingKey));
  const path = nextKeyFile(places);
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeWhole(path, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600, places.signingKey);
  }
  const next = createPublicKey(loadSigningKey(path));
  trust(places, [current, next]);
  return { current: keyIdOf(current), next: keyIdOf(next) };
}

/** The ids of the current key and of the one that takes its place, which is made already. Throws ConfigError. */
export function preparedKeys(places: KeyPlaces): KeyIds {
  const idOf = (path: string) => keyIdOf(createPublicKey(loadSigningKey(path)));
  return { current: idOf(places.signingKey), next: idOf(nextKeyFile(places)) };
}

/** The next key takes the place of the current one, whose public key stays trusted. Throws ConfigError. */
export function activateNextKey(places: KeyPlaces): void {
  prepareNextKey(places);
  renameSync(nextKeyFile(places), places.signingKey);
  syncDirectory(dirname(places.signingKey));
}

/** Adds those that are not there yet. */
function trust({ publicKeys: path, signingKey }: KeyPlaces, keys: readonly KeyObject[]): void {
  const isDirectory = existsSync(path) && statSync(path).isDirectory();
  const known = existsSync(path) ? readTrusted(path, isDirectory) : [];
  const ids = new Set(known.map(keyIdOf));
  const missing = keys.filter((key) => !ids.has(keyIdOf(key)));
  if (missing.length === 0) return;
  if (isDirectory) {
    for (const key of missing) writeWhole(join(path, `${keyIdOf(key)}.pem`), pem(key), 0o644, signingKey);
  } else writeWhole(path, [...known, ...missing].map(pem).join(''), 0o644, existsSync(path) ? path : signingKey);
}

function readTrusted(path: string, isDirectory: boolean): readonly KeyObject[] {
  try {
    return readPublicKeys('--public-keys', path);
  } catch (error) {
    // An empty directory holds no key yet.
    if (isDirectory) return [];
    throw error;
  }
}

function pem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }) as string;
}

/** On the disk before it has its name; of the same owner as `like`. */
export function writeWhole(path: string, text: string, mode: number, like: string): void {
  const file = openSync(`${path}.tmp`, 'w', 0o600);
  try {
    fchmodSync(file, mode);
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  const { uid, gid } = statSync(like);
  if (process.getuid?.() === 0) chownSync(`${path}.tmp`, uid, gid);
  renameSync(`${path}.tmp`, path);
  syncDirectory(dirname(path));
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
