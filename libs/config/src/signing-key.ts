/** Loads the key that signs decisions, and those whose decisions count, once, when a program starts. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { type ApiConfig, ConfigError } from './load.js';
import { readPublicKeys } from './public-keys.js';
import { type ApprovalKeys, approvalKeys } from '#lib/profiles';

export type KeyFiles = Pick<ApiConfig, 'PORIN_SIGNING_KEY_FILE' | 'PORIN_APPROVAL_PUBLIC_KEY_FILE'>;

/** Throws ConfigError for files that are missing, or that hold anything else. */
export function loadApprovalKeys(files: KeyFiles): ApprovalKeys {
  const path = files.PORIN_APPROVAL_PUBLIC_KEY_FILE;
  const also = path === undefined ? [] : readPublicKeys('PORIN_APPROVAL_PUBLIC_KEY_FILE', path);
  return approvalKeys(loadSigningKey(files.PORIN_SIGNING_KEY_FILE), also);
}

/** Throws ConfigError, with what to do, for a key that is missing, readable by others, or not Ed25519 in PKCS#8 PEM. */
export function loadSigningKey(path: string): KeyObject {
  const refuse = (problem: string) => new ConfigError([`PORIN_SIGNING_KEY_FILE: ${path} ${problem}`]);
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw refuse(`cannot be opened (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
  try {
    const { mode } = fstatSync(file);
    if ((mode & 0o077) !== 0) {
      throw refuse(`is open to other users (mode ${(mode & 0o777).toString(8).padStart(4, '0')}): run chmod 600`);
    }
    const key = parse(readFileSync(file));
    if (key?.asymmetricKeyType !== 'ed25519') {
      throw refuse('is no Ed25519 private key in PKCS#8 PEM: "openssl genpkey -algorithm ed25519" makes one');
    }
    return key;
  } finally {
    closeSync(file);
  }
}

function parse(pem: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // The reason may hold parts of the key.
    return undefined;
  }
}
