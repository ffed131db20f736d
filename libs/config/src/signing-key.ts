/** Loads the key that signs decisions, and those whose decisions count, once, when a program starts. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type ApiConfig } from './load.js';
import { fileRefusal, readPrivateFile } from './private-file.js';
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
  const refuse = fileRefusal('PORIN_SIGNING_KEY_FILE', path);
  const key = parse(readPrivateFile(path, refuse));
  if (key?.asymmetricKeyType !== 'ed25519') {
    throw refuse('is no Ed25519 private key in PKCS#8 PEM: "openssl genpkey -algorithm ed25519" makes one');
  }
  return key;
}

function parse(pem: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // The reason may hold parts of the key.
    return undefined;
  }
}
