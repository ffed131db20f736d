/**
 * What this node believes of approvals: the public keys of its file, and the list of which approvals still count. The newest
 * list that it has seen outlives the process, so that no older one is ever taken for the newest.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError, readPublicKeys } from '#lib/config';
import {
  type ApprovalList,
  forgetsNothingOf,
  parseList,
  type SignedList,
  type TrustedKeys,
  trustedKeys,
  verifyList,
} from '#lib/profiles';
import { type Logger } from 'pino';

export interface TrustOptions {
  /** A PEM file or a directory of such. */
  readonly keysPath: string;
  /** Of this node alone. */
  readonly listPath: string;
  readonly logger: Logger;
}

/** As it stands in the database. */
export interface StoredList {
  readonly signature: string;
  /** Null where the signature is the one that was asked for: see `signature`. */
  readonly text: string | null;
}

interface Seen extends SignedList {
  readonly list: ApprovalList;
}

export class ApprovalTrust {
  #keys: TrustedKeys;
  #seen: Seen | undefined;

  /** Throws ConfigError for keys that cannot be read, and for a kept list that is none. */
  constructor(private readonly options: TrustOptions) {
    this.#keys = this.#readKeys();
    this.#seen = readKept(options.listPath);
  }

  /** As the file has them now; as they were, where it cannot be read. */
  keys(): TrustedKeys {
    try {
      this.#keys = this.#readKeys();
    } catch (error) {
      this.options.logger.error({ err: (error as Error).message }, 'the public keys are as before');
    }
    return this.#keys;
  }

  /** Of the newest list that was seen; the database need not send that one again. */
  get signature(): string | null {
    return this.#seen?.signature ?? null;
  }

  /** Why the stored list is not to be believed, as a sentence; else the list. */
  accept(stored: StoredList | null, keys: TrustedKeys): ApprovalList | string {
    if (stored === null) return 'there is no list of approvals.';
    const seen = this.#seen;
    if (seen?.signature === stored.signature) {
      return keys.has(seen.list.keyId) ? seen.list : unsigned(seen.list.keyId);
    }
    const signed = { text: stored.text ?? '', signature: stored.signature };
    const list = verifyList(keys, signed);
    if (list === null) return unsigned(parseList(signed.text)?.keyId);
    if (seen && list.number <= seen.list.number) {
      return `its list of approvals, number ${list.number}, is older than number ${seen.list.number}, which this node has seen.`;
    }
    if (seen && !forgetsNothingOf(list, seen.list)) {
      return `its list of approvals, number ${list.number}, brings back what number ${seen.list.number} had withdrawn.`;
    }
    keep(this.options.listPath, signed);
    this.#seen = { ...signed, list };
    return list;
  }

  #readKeys(): TrustedKeys {
    return trustedKeys(readPublicKeys('PORIN_APPROVAL_PUBLIC_KEY_FILE', this.options.keysPath));
  }
}

function unsigned(keyId: string | undefined): string {
  return `the list of approvals is not signed by a key that this node trusts (its key is ${keyId ?? 'unknown'}).`;
}

function readKept(path: string): Seen | undefined {
  if (!existsSync(path)) return undefined;
  const { text, signature } = JSON.parse(readFileSync(path, 'utf8')) as SignedList;
  const list = parseList(text);
  if (list === null) throw new ConfigError([`${path} is no list of approvals: find out who changed it`]);
  return { text, signature, list };
}

/** Written whole, and on the disk before anything is enforced by it. */
function keep(path: string, signed: SignedList): void {
  const file = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(file, JSON.stringify(signed));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
