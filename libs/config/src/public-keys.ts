/** Reads the public keys that a program trusts: from a PEM file with one or more, or a directory of such files. */
import { type KeyObject } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parsePublicKeys } from '#lib/profiles';
import { ConfigError } from './load.js';

/** @throws ConfigError, with what to do, for what cannot be read and for keys that are not Ed25519 in SPKI PEM */
export function readPublicKeys(variable: string, path: string): readonly KeyObject[] {
  const files = pemFiles(variable, path);
  if (files.length === 0) throw refusal(variable, path, 'has no file that ends in .pem');
  return files.flatMap((file) => {
    try {
      return parsePublicKeys(readFileSync(file, 'utf8'));
    } catch (error) {
      throw refusal(variable, file, error instanceof TypeError ? NO_KEY : unreadable(error));
    }
  });
}

const NO_KEY = 'holds no Ed25519 public key in PEM: "openssl pkey -in <signing key> -pubout" makes one';

function pemFiles(variable: string, path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path)
      .filter((name) => name.endsWith('.pem') && !name.startsWith('.'))
      .sort()
      .map((name) => join(path, name));
  } catch (error) {
    throw refusal(variable, path, unreadable(error));
  }
}

function unreadable(error: unknown): string {
  return `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`;
}

function refusal(variable: string, path: string, problem: string): ConfigError {
  return new ConfigError([`${variable}: ${path} ${problem}`]);
}
