import { describe, expect, it } from 'vitest';
import { allowedFrom, learnedProfileOf, RECORDED_ORIGINS, runsToStable } from './learned-profile.js';

const ANSWER = {
  id: 'p',
  digest: 'sha256:0',
  profile: {
    version: 1,
    architecture: 'x86_64',
    rules: [
      { names: ['mbind'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
      { names: ['close', 'read', 'unlink'], action: 'SCMP_ACT_ALLOW' },
    ],
    network: 'none',
  },
  recordings: [{}, {}, {}],
};

describe('a learned profile', () => {
  it('has all calls that it allows from recordings where the API says nothing else', () => {
    const learned = learnedProfileOf(ANSWER);
    expect(learned.origins).toEqual({ close: 'seen', read: 'seen', unlink: 'seen' });
    expect(learned.recordings).toBe(3);
  });

  it('says of each call where it comes from, refusals apart', () => {
    const origins = {
      mbind: { origin: 'seen' },
      close: { origin: 'basic' },
      read: { origin: 'seen', run: 'r' },
      unlink: { origin: 'audit', run: 'r' },
      rename: { origin: 'implied', family: 'files' },
    };
    const rules = [
      ...ANSWER.profile.rules.slice(0, 1),
      { names: ['close', 'read', 'rename', 'unlink'], action: 'SCMP_ACT_ALLOW' },
    ];
    const learned = learnedProfileOf({ ...ANSWER, profile: { ...ANSWER.profile, rules }, origins });
    const groups = [RECORDED_ORIGINS, ['basic'], ['implied']];
    expect(groups.map((from) => allowedFrom(learned, from))).toEqual([2, 1, 1]);
  });
});

describe('runs to stable', () => {
  const a = ['read'];
  const b = ['close', 'read'];

  it('is the number of runs after which no call came', () => {
    expect(runsToStable([a, b, ['read', 'close'], b])).toBe(2);
    expect(runsToStable([b, b, b])).toBe(1);
  });

  it('is unknown when the last run brought a call, or there are too few', () => {
    expect(runsToStable([a, a, b])).toBeNull();
    expect(runsToStable([a])).toBeNull();
    expect(runsToStable([])).toBeNull();
  });
});
