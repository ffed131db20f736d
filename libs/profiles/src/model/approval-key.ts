/** The Ed25519 keys that sign and verify approvals: their ids, and the set that a program trusts. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';

/** By key id; statements of any of them verify. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>;

/** Whoever signs decisions: the key, its id, and the keys whose earlier decisions still count, its own among them. */
export interface ApprovalKeys {
  readonly signing: KeyObject;
  readonly signingId: string;
  readonly trusted: TrustedKeys;
}

/**
 * `keyIdOf(publicKey)` is `3f1c0a9be2d47586`: the first 16 hexadecimal digits of the SHA-256 of the key's SPKI in DER, as
 * `openssl pkey -pubin -outform DER | sha256sum` prints it.
 */
export function keyIdOf(publicKey: KeyObject): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex').slice(0, 16);
}

/** @throws TypeError for a key that is not an Ed25519 public key */
export function trustedKeys(publicKeys: readonly KeyObject[]): TrustedKeys {
  for (const key of publicKeys) requireEd25519(key, 'public');
  return new Map(publicKeys.map((key) => [keyIdOf(key), key]));
}

/** `also`: public keys beside its own. @throws TypeError for keys of another kind */
export function approvalKeys(signing: KeyObject, also: readonly KeyObject[] = []): ApprovalKeys {
  requireEd25519(signing, 'private');
  const own = createPublicKey(signing);
  return { signing, signingId: keyIdOf(own), trusted: trustedKeys([own, ...also]) };
}

const PEM_BLOCK = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;

/** All public keys (SPKI) of a text in PEM, in their order. @throws TypeError when one of them is no Ed25519 key, or there is none */
export function parsePublicKeys(pem: string): readonly KeyObject[] {
  const keys = (pem.match(PEM_BLOCK) ?? []).map(parsePublicKey);
  if (keys.length === 0) throw new TypeError('no public key in PEM');
  return keys;
}

function parsePublicKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new TypeError('not a public key in PEM', { cause });
  }
  requireEd25519(key, 'public');
  return key;
}

/** @throws TypeError */
export function requireEd25519(key: KeyObject, type: 'private' | 'public'): void {
  if (key.type !== type || key.asymmetricKeyType !== 'ed25519') throw new TypeError(`not an Ed25519 ${type} key`);
}
