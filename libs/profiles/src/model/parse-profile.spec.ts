import { describe, expect, it } from 'vitest';
import { allowedNames, canonicalProfile, parseProfile, profileDigest, ProfileError } from './parse-profile.js';
import { type Profile } from './profile.js';

const profile: Profile = {
  version: 1,
  architecture: 'x86_64',
  rules: [{ names: ['close', 'read', 'write'], action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
};
const CANONICAL =
  '{"architecture":"x86_64","network":"none","rules":[{"action":"SCMP_ACT_ALLOW","names":["close","read","write"]}],"version":1}';
const rule = profile.rules[0];

describe('profiles as text', () => {
  it('come back from their canonical form unchanged, with the same digest', () => {
    expect(canonicalProfile(profile)).toBe(CANONICAL);
    expect(parseProfile(CANONICAL)).toEqual(profile);
    expect(profileDigest(parseProfile(JSON.stringify(profile, null, 2)))).toBe(profileDigest(profile));
  });

  it('have another digest for every change', () => {
    const digests = [
      profile,
      { ...profile, architecture: 'aarch64' as const },
      { ...profile, rules: [] },
      { ...profile, rules: [{ ...profile.rules[0]!, names: ['close', 'read'] }] },
      { ...profile, rules: [...profile.rules, { names: ['open'], action: 'SCMP_ACT_ALLOW' as const }] },
    ].map(profileDigest);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('list the names of all rules, sorted', () => {
    const rules = [...profile.rules, { names: ['brk'], action: 'SCMP_ACT_ALLOW' as const }];
    expect(allowedNames({ ...profile, rules })).toEqual(['brk', 'close', 'read', 'write']);
  });

  it.each<[string, unknown]>([
    ['$', []],
    ['$', null],
    ['$.version', { ...profile, version: 2 }],
    ['$.version', { ...profile, version: '1' }],
    ['$.architecture', { ...profile, architecture: 'i386' }],
    ['$.network', { ...profile, network: 'host' }],
    ['$.rules', { ...profile, rules: {} }],
    ['$.file', { ...profile, file: [] }],
    ['$.rules[0]', { ...profile, rules: ['read'] }],
    ['$.rules[0].args', { ...profile, rules: [{ ...rule, args: [] }] }],
    ['$.rules[0].action', { ...profile, rules: [{ ...rule, action: 'SCMP_ACT_LOG' }] }],
    ['$.rules[0].action', { ...profile, rules: [{ names: ['read'] }] }],
    ['$.rules[0].names', { ...profile, rules: [{ ...rule, names: [] }] }],
    ['$.rules[0].names[0]', { ...profile, rules: [{ ...rule, names: ['READ'] }] }],
    ['$.rules[0].names[0]', { ...profile, rules: [{ ...rule, names: [0] }] }],
    ['$.rules[0].names[1]', { ...profile, rules: [{ ...rule, names: ['write', 'read'] }] }],
    ['$.rules[0].names[1]', { ...profile, rules: [{ ...rule, names: ['read', 'read'] }] }],
    ['$.rules[1].names[0]', { ...profile, rules: [rule, { ...rule, names: ['read'] }] }],
  ])('are refused with the place of the fault, %s', (at, broken) => {
    expect(() => parseProfile(JSON.stringify(broken))).toThrow(expect.objectContaining({ at }));
  });

  it('are refused when they are no JSON', () => {
    expect(() => parseProfile('{')).toThrow(ProfileError);
  });

  it('cannot smuggle a member through __proto__', () => {
    const text = CANONICAL.replace('"version":1', '"version":1,"__proto__":{"network":"host"}');
    expect(() => parseProfile(text)).toThrow(expect.objectContaining({ at: '$.__proto__' }));
  });
});
