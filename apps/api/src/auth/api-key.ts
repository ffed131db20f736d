/** API keys: 256 random bits, shown once, stored as their SHA-256. */
import { createHash, randomBytes } from 'node:crypto';

const KEY_PATTERN = /^porin_[A-Za-z0-9_-]{43}$/;

export function generateApiKey(): string {
  return `porin_${randomBytes(32).toString('base64url')}`;
}

/** A plain SHA-256 is enough: 256 random bits cannot be guessed, so there is nothing to slow down. */
export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** The key in an `Authorization: Bearer` header, or undefined when there is none of the right shape. */
export function bearerKey(header: string | undefined): string | undefined {
  const key = /^Bearer ([^ ]+)$/i.exec(header ?? '')?.[1];
  return key !== undefined && KEY_PATTERN.test(key) ? key : undefined;
}
