/** A secret on its way to the one node that runs an attempt: HPKE (RFC 9180, base mode), bound to the attempt and the prefix. */
import { type webcrypto } from 'node:crypto';
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { type SecretKind, secretValue, type SecretValue } from './secret-value.js';

/** What a sealed secret is for: it opens for nothing else. */
export interface SealedFor {
  readonly jobId: string;
  /** Number of the attempt. */
  readonly fence: number;
  readonly nodeId: string;
  readonly name: string;
  readonly kind: SecretKind;
  readonly prefix: string;
}

/** It was sealed for something else, to another key, or was changed since. */
export class NotSealedForThis extends Error {
  override readonly name = 'NotSealedForThis';
}

const SUITE = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
/** Of an X25519 public key, and of what HPKE puts before a message of this suite. */
const KEY_BYTES = 32;

// The library's types are those of browsers, which TypeScript does not have here.
type Key = webcrypto.CryptoKey;

/** `publicKey`: of SealingKey. Base64 of the encapsulated key and the ciphertext. Rejects for what is no key. */
export async function sealSecret(publicKey: string, place: SealedFor, value: SecretValue): Promise<string> {
  const recipientPublicKey = (await SUITE.kem.deserializePublicKey(bytesOf(Buffer.from(publicKey, 'base64')))) as Key;
  const text = bytesOf(Buffer.from(JSON.stringify(value)));
  const { enc, ct } = await SUITE.seal({ recipientPublicKey, info: infoOf(place) }, text);
  return Buffer.concat([Buffer.from(enc), Buffer.from(ct)]).toString('base64');
}

/** Whether secrets can be sealed to it: whoever wrote it may have written any bytes, and to some points none can be. */
export async function canSealTo(publicKey: string): Promise<boolean> {
  const place = { jobId: '', fence: 0, nodeId: '', name: '', kind: 'bearer', prefix: '' } as const;
  return sealSecret(publicKey, place, { kind: 'bearer', token: 'trial' }).then(
    () => true,
    () => false,
  );
}

/** Made anew by each process of a worker, and never written down: what was sealed to it opens nowhere after its end. */
export class SealingKey {
  private constructor(
    private readonly privateKey: Key,
    /** Base64 of its 32 bytes. */
    readonly publicKey: string,
  ) {}

  static async generate(): Promise<SealingKey> {
    const { privateKey, publicKey } = (await SUITE.kem.generateKeyPair()) as webcrypto.CryptoKeyPair;
    const bytes = await SUITE.kem.serializePublicKey(publicKey);
    return new SealingKey(privateKey, Buffer.from(bytes).toString('base64'));
  }

  /** Throws NotSealedForThis. */
  async open(place: SealedFor, sealed: string): Promise<SecretValue> {
    const bytes = Buffer.from(sealed, 'base64');
    const [enc, text] = [bytesOf(bytes.subarray(0, KEY_BYTES)), bytesOf(bytes.subarray(KEY_BYTES))];
    try {
      const opened = await SUITE.open({ recipientKey: this.privateKey, enc, info: infoOf(place) }, text);
      const value = secretValue.parse(JSON.parse(Buffer.from(opened).toString('utf8')));
      if (value.kind === place.kind) return value;
    } catch {
      // The reason may hold parts of the value.
    }
    throw new NotSealedForThis('it was not sealed to this key for this attempt');
  }
}

function infoOf({ jobId, fence, nodeId, name, kind, prefix }: SealedFor): ArrayBuffer {
  return bytesOf(Buffer.from(JSON.stringify(['porin sealed secret', jobId, fence, nodeId, name, kind, prefix])));
}

/** Of their own: a Buffer may be a part of a larger one. */
function bytesOf(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
