/** A secret as the database keeps it: AES-256-GCM under a key that the database never sees, bound to whose it is and what for. */
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { type SecretKind, secretValue, type SecretValue } from './secret-value.js';

/** As libs/config reads it from PORIN_SECRETS_KEY_FILE. */
export interface SecretKey {
  readonly id: string;
  /** 32 bytes. */
  readonly key: KeyObject;
}

/** What its row says of a secret. Changed there, the value opens no more. */
export interface SecretPlace {
  readonly tenant: string;
  readonly name: string;
  readonly kind: SecretKind;
  readonly prefix: string;
  /** Ids of principals; null: whoever submits jobs of the tenant. */
  readonly usableBy: readonly string[] | null;
}

export interface StoredSecret {
  readonly keyId: string;
  /** Nonce, ciphertext and tag. */
  readonly encrypted: Buffer;
}

/** What is stored is not what was stored, or not for this place, or its key is none of these. The message holds none of it. */
export class SecretUnreadable extends Error {
  override readonly name = 'SecretUnreadable';
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Under the first key. Throws RangeError where there is none. */
export function encryptSecret([first]: readonly SecretKey[], place: SecretPlace, value: SecretValue): StoredSecret {
  if (first === undefined) throw new RangeError('there is no key of secrets');
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, first.key, nonce, { authTagLength: TAG_BYTES }).setAAD(textOf(place));
  const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
  return { keyId: first.id, encrypted: Buffer.concat([nonce, text, cipher.getAuthTag()]) };
}

/** Throws SecretUnreadable. */
export function decryptSecret(
  keys: readonly SecretKey[],
  place: SecretPlace,
  { keyId, encrypted }: StoredSecret,
): SecretValue {
  const found = keys.find(({ id }) => id === keyId);
  if (!found) throw new SecretUnreadable(`its key, ${keyId}, is not in PORIN_SECRETS_KEY_FILE`);
  try {
    const nonce = encrypted.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(CIPHER, found.key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(textOf(place))
      .setAuthTag(encrypted.subarray(-TAG_BYTES));
    const text = Buffer.concat([decipher.update(encrypted.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return secretValue.parse(JSON.parse(text.toString('utf8')));
  } catch {
    // The reason may hold parts of the value.
    throw new SecretUnreadable('its row is not as it was stored');
  }
}

function textOf({ tenant, name, kind, prefix, usableBy }: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify(['porin secret', tenant, name, kind, prefix, usableBy && [...usableBy].sort()]));
}
