import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type ApprovalStatement,
  canonicalStatement,
  parseStatement,
  signStatement,
  verifyApproval,
  verifyStatement,
} from './approval.js';
import { trustedKeys } from './approval-key.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const trusted = trustedKeys([publicKey]);
const statement: ApprovalStatement = {
  application: '4f7c9c1e-5c7b-4b43-9d0c-0f4a3a6d2c11',
  contentDigest: `sha256:${'1'.repeat(64)}`,
  architecture: 'x86_64',
  profileDigest: `sha256:${'2'.repeat(64)}`,
  stage: 'approved',
  sequence: 7,
};

describe('an approval', () => {
  it('verifies against the key that signed it', () => {
    expect(verifyStatement(publicKey, statement, signStatement(privateKey, statement))).toBe(true);
  });

  it.each<[keyof ApprovalStatement, Partial<ApprovalStatement>]>([
    ['application', { application: 'another' }],
    ['contentDigest', { contentDigest: `sha256:${'3'.repeat(64)}` }],
    ['architecture', { architecture: 'aarch64' }],
    ['profileDigest', { profileDigest: `sha256:${'3'.repeat(64)}` }],
    ['stage', { stage: 'revoked' }],
    ['sequence', { sequence: 8 }],
  ])('does not verify with another %s', (_member, change) => {
    const signature = signStatement(privateKey, statement);
    expect(verifyStatement(publicKey, { ...statement, ...change }, signature)).toBe(false);
  });

  it('does not verify against another key, nor with a broken signature', () => {
    const signature = signStatement(privateKey, statement);
    expect(verifyStatement(generateKeyPairSync('ed25519').publicKey, statement, signature)).toBe(false);
    const flipped = Buffer.from(signature, 'base64');
    flipped[0]! ^= 1;
    for (const broken of ['', 'AAAA', 'no base64 !', flipped.toString('base64')]) {
      expect(verifyStatement(publicKey, statement, broken)).toBe(false);
    }
  });

  it('is verified for the subject that it names and for no other', () => {
    const approval = { statement: canonicalStatement(statement), signature: signStatement(privateKey, statement) };
    expect(verifyApproval(trusted, approval, statement)).toEqual({ kind: 'verified', audit: null, statement });
    for (const change of [{ application: 'b' }, { contentDigest: 'b' }, { profileDigest: 'b' }] as const) {
      expect(verifyApproval(trusted, approval, { ...statement, ...change })).toEqual({ kind: 'other-subject' });
    }
    expect(verifyApproval(trusted, approval, { ...statement, architecture: 'aarch64' })).toEqual({
      kind: 'other-subject',
    });
  });

  it('is not verified from the statement of a revocation, nor when its statement was rewritten', () => {
    const revoked = { ...statement, stage: 'revoked' } as const;
    const revocation = { statement: canonicalStatement(revoked), signature: signStatement(privateKey, revoked) };
    expect(verifyApproval(trusted, revocation, statement)).toEqual({ kind: 'other-subject' });
    const rewritten = { ...revocation, statement: canonicalStatement(statement) };
    expect(verifyApproval(trusted, rewritten, statement)).toEqual({ kind: 'bad-signature' });
    expect(verifyApproval(trusted, { ...rewritten, statement: 'null' }, statement)).toEqual({
      kind: 'bad-signature',
    });
  });

  it('refuses keys of another kind instead of using them', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    expect(() => signStatement(rsa.privateKey, statement)).toThrow('Ed25519 private key');
    expect(() => signStatement(publicKey, statement)).toThrow('Ed25519 private key');
    expect(() => verifyStatement(rsa.publicKey, statement, '')).toThrow('Ed25519 public key');
  });

  it('reads back only the canonical text of a statement', () => {
    const text = canonicalStatement(statement);
    expect(parseStatement(text)).toEqual(statement);
    for (const other of ['', 'null', '{}', ` ${text}`, text.replace('}', ',"more":1}'), JSON.stringify(statement)]) {
      expect(parseStatement(other)).toBeNull();
    }
  });
});
