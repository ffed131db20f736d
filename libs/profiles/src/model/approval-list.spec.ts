import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { approvalKeys, keyIdOf, parsePublicKeys, trustedKeys } from './approval-key.js';
import {
  type ApprovalList,
  buildKey,
  forgetsNothingOf,
  parseList,
  signList,
  standingIn,
  verifyList,
} from './approval-list.js';
import { signWith, verifySigned } from './approval.js';

const keys = approvalKeys(generateKeyPairSync('ed25519').privateKey);
const other = approvalKeys(generateKeyPairSync('ed25519').privateKey);
const BUILD = { application: 'a', contentDigest: 'sha256:c', architecture: 'x86_64' } as const;
const statement = (sequence: number) => ({
  ...BUILD,
  profileDigest: 'sha256:p',
  stage: 'approved' as const,
  sequence,
});
const list = (changes: Partial<ApprovalList> = {}): ApprovalList => ({
  ...{ number: 20, issuedAt: '2026-01-01T00:00:00.000Z', keyId: keys.signingId, floor: 5 },
  builds: { [buildKey(BUILD)]: 10 },
  ...changes,
});
const publicPem = ({ trusted, signingId }: typeof keys): string =>
  trusted.get(signingId)!.export({ type: 'spki', format: 'pem' }) as string;

describe('a key id', () => {
  it('is the beginning of the SHA-256 of the public key, as everybody can compute it', () => {
    const [key] = parsePublicKeys(
      '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n',
    );
    expect(keyIdOf(key!)).toBe('06e3fd8fda29bb60');
  });

  it('finds each of several keys in one file, and refuses what is none', () => {
    expect(parsePublicKeys(publicPem(keys) + publicPem(other)).map(keyIdOf)).toEqual([keys.signingId, other.signingId]);
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' });
    for (const text of ['', 'hello', `${publicPem(keys)}${rsa as string}`]) {
      expect(() => parsePublicKeys(text)).toThrow(TypeError);
    }
  });
});

describe('a signed statement', () => {
  const signed = signWith(keys, statement(7));

  it('names its key, and verifies by that key among several', () => {
    expect(verifySigned(new Map([...other.trusted, ...keys.trusted]), signed)).toEqual({
      ...statement(7),
      keyId: keys.signingId,
    });
    expect(verifySigned(other.trusted, signed)).toBeNull();
  });

  it('does not verify by another trusted key than the one that it names', () => {
    const renamed = signed.statement.replace(keys.signingId, other.signingId);
    expect(verifySigned(new Map([...other.trusted, ...keys.trusted]), { ...signed, statement: renamed })).toBeNull();
  });
});

describe('the list of approvals', () => {
  it('is believed when a trusted key signed exactly this text', () => {
    const { number, issuedAt, floor, builds } = list();
    const signed = signList(keys, { number, issuedAt, floor, builds });
    expect(verifyList(keys.trusted, signed)).toEqual(list());
    expect(verifyList(other.trusted, signed)).toBeNull();
    const longer = signed.text.replace('"number":20', '"number":21');
    expect(verifyList(keys.trusted, { ...signed, text: longer })).toBeNull();
    const forged = signList(other, { number, issuedAt, floor, builds });
    const renamed = forged.text.replace(other.signingId, keys.signingId);
    expect(verifyList(keys.trusted, { ...forged, text: renamed })).toBeNull();
  });

  it.each(['', 'null', '[]', '{}', '{"builds":{"x":1},"floor":0,"issuedAt":"","keyId":"","number":1}'])(
    'is not %s',
    (text) => {
      expect(parseList(text)).toBeNull();
      expect(verifyList(trustedKeys([]), { text, signature: '' })).toBeNull();
    },
  );

  it.each([
    ['at the least sequence that counts', 10, 'current'],
    ['up to the list', 20, 'current'],
    ['below the least sequence of its build', 9, 'withdrawn'],
    ['beyond the list', 21, 'unknown-to-the-list'],
  ])('says of a statement %s (%i): %s', (_where, sequence, standing) => {
    expect(standingIn(list(), statement(sequence))).toBe(standing);
  });

  it('withdraws everything below its floor, of builds too that it does not name', () => {
    const elsewhere = { ...statement(4), application: 'b' };
    expect(standingIn(list(), elsewhere)).toBe('withdrawn');
    expect(standingIn(list(), { ...elsewhere, sequence: 5 })).toBe('current');
  });

  it('never forgets what an earlier one withdrew', () => {
    const [key] = Object.keys(list().builds) as [string];
    expect(forgetsNothingOf(list({ number: 21, builds: { [key]: 11 } }), list())).toBe(true);
    expect(forgetsNothingOf(list({ number: 21, floor: 10, builds: {} }), list())).toBe(true);
    expect(forgetsNothingOf(list({ number: 21, builds: {} }), list())).toBe(false);
    expect(forgetsNothingOf(list({ number: 21, floor: 4 }), list())).toBe(false);
  });
});
