/** What an instance makes once at random and keeps: passwords, the key that signs approvals and the one that secrets are encrypted under. Mode 0600. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Instance } from './instance.js';

export function password(instance: Instance, name: string): string {
  const path = join(instance.directory, 'secrets', name);
  if (!existsSync(path)) writeWhole(path, randomBytes(24).toString('hex'));
  return readFileSync(path, 'utf8');
}

/** Ed25519: PKCS#8 and SPKI in PEM. The public key is among the trusted ones whatever happened to their file; others stay. */
export function signingKeyFiles(instance: Instance): { privateKeyFile: string; publicKeyFile: string } {
  const privateKeyFile = join(instance.directory, 'secrets', 'signing-key.pem');
  const publicKeyFile = join(instance.directory, 'secrets', 'approval-public-key.pem');
  if (!existsSync(privateKeyFile)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeWhole(privateKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  }
  const publicKey = createPublicKey(createPrivateKey(readFileSync(privateKeyFile)));
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const trusted = existsSync(publicKeyFile) ? readFileSync(publicKeyFile, 'utf8') : '';
  if (!trusted.includes(pem)) writeWhole(publicKeyFile, trusted + pem);
  return { privateKeyFile, publicKeyFile };
}

/** What secrets of tenants are encrypted under. */
export function secretsKeyFile(instance: Instance): string {
  const path = join(instance.directory, 'secrets', 'secrets-key');
  if (!existsSync(path)) writeWhole(path, `${randomBytes(32).toString('base64')}\n`);
  return path;
}

/** A crash leaves no half secret behind. */
export function writeWhole(path: string, contents: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, contents, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
