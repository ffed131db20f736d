import { describe, expect, it } from 'vitest';
import { type Condition, type Hex } from './condition.js';
import { allowedNames, canonicalProfile, parseProfile, profileDigest, ProfileError } from './parse-profile.js';
import { type Profile, type Rule } from './profile.js';

const profile: Profile = {
  version: 1,
  architecture: 'x86_64',
  rules: [{ names: ['close', 'read', 'write'], action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
};
const CANONICAL =
  '{"architecture":"x86_64","network":"none","rules":[{"action":"SCMP_ACT_ALLOW","names":["close","read","write"]}],"version":1}';
const rule = profile.rules[0];

const withArgument = (changes: object, names = ['fcntl']) => ({
  ...profile,
  rules: [{ ...rule, names, args: [{ argument: 1, op: 'SCMP_CMP_EQ', value: '0x1', ...changes }] }],
});
const equal = (argument: number, value: Hex): Condition => ({ argument, op: 'SCMP_CMP_EQ', value });
const conditional = (names: readonly string[], ...args: Condition[]): Rule => ({
  ...{ names, args },
  action: 'SCMP_ACT_ALLOW',
});

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

  it('have one text and digest for equal sets of rules, however they are split, ordered and repeated', () => {
    const plain = profile.rules;
    const one = [...plain, conditional(['socket', 'socketpair'], equal(0, '0x1'), equal(1, '0x2'))];
    const other = [
      conditional(['socketpair'], equal(1, '0x2'), equal(0, '0x1'), equal(1, '0x2')),
      ...['write', 'close', 'read'].map((name): Rule => ({ names: [name], action: 'SCMP_ACT_ALLOW' })),
      conditional(['socket'], equal(0, '0x1'), equal(1, '0x2')),
      conditional(['socket'], equal(1, '0x2'), equal(0, '0x1')),
    ];
    expect(canonicalProfile({ ...profile, rules: other })).toBe(canonicalProfile({ ...profile, rules: one }));
    expect(parseProfile(canonicalProfile({ ...profile, rules: one })).rules).toEqual([
      ...plain,
      conditional(['socket'], equal(0, '0x1'), equal(1, '0x2')),
      conditional(['socketpair'], equal(0, '0x1'), equal(1, '0x2')),
    ]);
  });

  it('order conditions by argument, comparison, mask and the size of the value', () => {
    const values: Hex[] = ['0x10', '0x9', '0xa', '0xffffffff'];
    const rules = [
      ...values.map((value) => conditional(['fcntl'], equal(1, value))),
      conditional(['fcntl'], { argument: 1, op: 'SCMP_CMP_MASKED_EQ', mask: '0x3', value: '0x1' }),
      conditional(['fcntl'], { argument: 1, op: 'SCMP_CMP_MASKED_EQ', mask: '0x10', value: '0x0' }),
      conditional(['fcntl'], equal(0, '0x2')),
    ];
    const parsed = parseProfile(canonicalProfile({ ...profile, rules }));
    expect(parsed.rules.map(({ args }) => args?.map(({ argument, mask, value }) => [argument, mask, value]))).toEqual([
      [[0, undefined, '0x2']],
      ...['0x9', '0xa', '0x10', '0xffffffff'].map((value) => [[1, undefined, value]]),
      [[1, '0x3', '0x1']],
      [[1, '0x10', '0x0']],
    ]);
    expect(allowedNames(parsed)).toEqual(['fcntl']);
    expect(profileDigest(parsed)).toBe(profileDigest({ ...profile, rules: [...rules].reverse() }));
  });

  it('have another digest for another value, mask or comparison', () => {
    const digests = [
      conditional(['fcntl'], equal(1, '0x1')),
      conditional(['fcntl'], equal(1, '0x2')),
      conditional(['fcntl'], equal(0, '0x1')),
      conditional(['fcntl'], { ...equal(1, '0x1'), op: 'SCMP_CMP_NE' }),
      conditional(['fcntl'], { ...equal(1, '0x1'), op: 'SCMP_CMP_MASKED_EQ', mask: '0x1' }),
      conditional(['fcntl'], { ...equal(1, '0x1'), op: 'SCMP_CMP_MASKED_EQ', mask: '0x3' }),
      conditional(['fcntl'], equal(1, '0x1'), equal(0, '0x1')),
    ].map((other) => profileDigest({ ...profile, rules: [other] }));
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('say of a pointer that it is one', () => {
    const text = JSON.stringify(withArgument({ argument: 1 }, ['openat']));
    expect(() => parseProfile(text)).toThrow(/"openat" is a pointer/);
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
    ['$.rules[0].args', { ...profile, rules: [{ ...rule, args: {} }] }],
    ['$.rules[0].args[0].argument', withArgument({ argument: 6 })],
    ['$.rules[0].args[0].argument', withArgument({ argument: '1' })],
    ['$.rules[0].args[0].argument', withArgument({ argument: 2 })],
    ['$.rules[0].args[0].argument', withArgument({ argument: 3 })],
    ['$.rules[0].args[0].argument', withArgument({}, ['fcntl', 'read'])],
    ['$.rules[0].args[0].op', withArgument({ op: 'SCMP_CMP_SAME' })],
    ['$.rules[0].args[0].value', withArgument({ value: 1 })],
    ['$.rules[0].args[0].value', withArgument({ value: '1' })],
    ['$.rules[0].args[0].value', withArgument({ value: '0x01' })],
    ['$.rules[0].args[0].value', withArgument({ value: '0xF' })],
    ['$.rules[0].args[0].value', withArgument({ value: '0x100000000' })],
    ['$.rules[0].args[0].value', withArgument({ op: 'SCMP_CMP_GE', value: '0x0' })],
    ['$.rules[0].args[0].value', withArgument({ op: 'SCMP_CMP_LE', value: '0xffffffff' })],
    ['$.rules[0].args[0].value', withArgument({ op: 'SCMP_CMP_MASKED_EQ', value: '0x3', mask: '0x2' })],
    ['$.rules[0].args[0].mask', withArgument({ op: 'SCMP_CMP_MASKED_EQ' })],
    ['$.rules[0].args[0].mask', withArgument({ op: 'SCMP_CMP_MASKED_EQ', value: '0x0', mask: '0x0' })],
    ['$.rules[0].args[0].mask', withArgument({ mask: '0x1' })],
    ['$.rules[0].args[0].valueTwo', withArgument({ valueTwo: '0x1' })],
    ['$.rules[1].names[0]', { ...withArgument({}), rules: [...withArgument({}).rules, { ...rule, names: ['fcntl'] }] }],
    ['$.rules[1].names[0]', { ...profile, rules: [{ ...rule, names: ['fcntl'] }, ...withArgument({}).rules] }],
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
