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

/**
 * The key in an `Authorization` header, as `Bearer` or as the password of `Basic`, whoever the user is; undefined when there is
 * none of the right shape.
 */
export function keyInHeader(header: string | undefined): string | undefined {
  const [, scheme = '', credentials = ''] = /^(Bearer|Basic) ([^ ]+)$/i.exec(header ?? '') ?? [];
  const key = scheme.toLowerCase() === 'basic' ? basicPassword(credentials) : credentials;
  return KEY_PATTERN.test(key) ? key : undefined;
}

/** RFC 7617: what follows the first colon; empty text where there is none. */
function basicPassword(credentials: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(credentials)) return '';
  const userAndPassword = Buffer.from(credentials, 'base64').toString('latin1');
  const colon = userAndPassword.indexOf(':');
  return colon === -1 ? '' : userAndPassword.slice(colon + 1);
}
