import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '#lib/config';
import { type ApprovalKeys, approvalKeys, signList } from '#lib/profiles';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApprovalTrust } from './approval-trust.js';

const keys = approvalKeys(generateKeyPairSync('ed25519').privateKey);
const other = approvalKeys(generateKeyPairSync('ed25519').privateKey);
const BUILD = '0'.repeat(32);
const logger = pino({ level: 'silent' });

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'porin-trust-'));
  trustFile(keys);
});
afterEach(() => rmSync(directory, { recursive: true }));

const keysPath = () => join(directory, 'keys.pem');
const listPath = () => join(directory, 'approvals.json');
function trustFile(...trusted: ApprovalKeys[]): void {
  const pems = trusted.map((each) => each.trusted.get(each.signingId)!.export({ type: 'spki', format: 'pem' }));
  writeFileSync(keysPath(), pems.join(''));
}
const open = () => new ApprovalTrust({ keysPath: keysPath(), listPath: listPath(), logger });
const signed = (number: number, least: number, by = keys) =>
  signList(by, { number, issuedAt: '2026-01-01T00:00:00.000Z', floor: 0, builds: { [BUILD]: least } });
const accept = (trust: ApprovalTrust, stored: Parameters<ApprovalTrust['accept']>[0]) =>
  trust.accept(stored, trust.keys());

describe('the list of approvals on a node', () => {
  it('is taken when it is newer and forgets nothing, and need not be sent twice', () => {
    const trust = open();
    expect(accept(trust, signed(7, 3))).toMatchObject({ number: 7 });
    expect(trust.signature).toBe(signed(7, 3).signature);
    expect(accept(trust, { signature: signed(7, 3).signature, text: null })).toMatchObject({ number: 7 });
    expect(accept(trust, signed(9, 4))).toMatchObject({ number: 9 });
  });

  it.each([
    ['is older', () => signed(6, 3), 'is older than number 7'],
    ['has the same number and other words', () => signed(7, 2), 'is older than number 7'],
    ['forgets what was withdrawn, though its number is higher', () => signed(8, 2), 'brings back'],
    ['is not there', () => null, 'there is no list'],
    ['is of a key that is not trusted', () => signed(8, 3, other), `its key is ${other.signingId}`],
    ['is not what was signed', () => ({ ...signed(8, 3), text: signed(9, 3).text }), 'not signed by a key'],
    ['is no list', () => ({ text: 'hello', signature: 'AAAA' }), 'its key is unknown'],
  ])('is refused when it %s: by this process and by the next one', (_name, stored, words) => {
    const trust = open();
    accept(trust, signed(7, 3));
    expect(accept(trust, stored())).toContain(words);
    expect(accept(open(), stored())).toContain(words);
  });

  it('is not believed for a key that is not trusted any more', () => {
    const trust = open();
    accept(trust, signed(7, 3));
    trustFile(other);
    expect(accept(trust, { signature: signed(7, 3).signature, text: null })).toContain('not signed by a key');
  });

  it('stops the node where the kept one cannot be read', () => {
    writeFileSync(listPath(), '{"text": "", "signature": ""}');
    expect(open).toThrow(ConfigError);
  });

  it('is kept whole: nothing is left of how it was written', () => {
    accept(open(), signed(7, 3));
    expect(existsSync(`${listPath()}.new`)).toBe(false);
  });
});

describe('the keys of a node', () => {
  it('are those of the file as it is now', () => {
    const trust = open();
    expect([...trust.keys().keys()]).toEqual([keys.signingId]);
    trustFile(keys, other);
    expect([...trust.keys().keys()]).toEqual([keys.signingId, other.signingId]);
  });

  it('stay as they were while the file cannot be read', () => {
    const trust = open();
    writeFileSync(keysPath(), 'half a file');
    expect([...trust.keys().keys()]).toEqual([keys.signingId]);
    expect(open).toThrow('holds no Ed25519 public key');
  });
});
