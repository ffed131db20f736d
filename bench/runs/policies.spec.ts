import { nodeArchitecture, type Profile } from '#lib/profiles';
import { describe, expect, it } from 'vitest';
import { LEVEL_NAMES } from './levels.js';
import { CEILING_POLICIES, policiesOf, withoutCalls } from './policies.js';

const PLACES = { inputs: ['/input/night.edf'], outputs: ['/output'], temporary: ['/tmp'] };
const profile: Profile = {
  version: 1,
  architecture: nodeArchitecture(process.arch),
  rules: [
    {
      names: ['fcntl'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ argument: 1, op: 'SCMP_CMP_EQ', value: '0x3' }],
    },
    { names: ['getppid', 'openat', 'read'], action: 'SCMP_ACT_ALLOW' },
  ],
  network: 'none',
  files: [{ path: '{inputs}', rights: ['read'] }],
};

describe('policiesOf', () => {
  it('has one for every level', () => {
    expect(Object.keys(policiesOf({ profile, depth: 'files' }, PLACES))).toEqual(LEVEL_NAMES);
  });

  it('holds arguments and files only where the level does', () => {
    const {
      enforce,
      'enforce-arguments': withArguments,
      'enforce-files': withFiles,
      audit,
    } = policiesOf({ profile, depth: 'files' }, PLACES);
    expect(withArguments?.filter.filter.length).toBeGreaterThan(enforce?.filter.filter.length ?? Infinity);
    expect(withFiles?.filter).toEqual(withArguments?.filter);
    expect([enforce, withArguments, audit].map((policy) => policy?.landlock)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(withFiles?.landlock).toContainEqual({ path: '/input/night.edf', rights: ['read'] });
  });

  it('leaves the levels out that ask for more than was learned', () => {
    const missing = (depth: 'names' | 'arguments') => {
      const policies = policiesOf({ profile, depth }, PLACES);
      return LEVEL_NAMES.filter((level) => !policies[level]);
    };
    expect(missing('names')).toEqual(['enforce-arguments', 'enforce-files']);
    expect(missing('arguments')).toEqual(['enforce-files']);
  });

  it('has every call notified at trace-notify alone', () => {
    const { none, 'trace-notify': notified, strace, bpftrace } = CEILING_POLICIES;
    expect([strace, bpftrace]).toEqual([none, none]);
    expect(notified?.filter.answer).not.toEqual(none?.filter.answer);
    expect(CEILING_POLICIES.enforce).toBeUndefined();
  });
});

describe('withoutCalls', () => {
  it('leaves nothing of a call, with conditions or without', () => {
    expect(withoutCalls(profile, ['getppid', 'fcntl']).rules).toEqual([
      { names: ['openat', 'read'], action: 'SCMP_ACT_ALLOW' },
    ]);
  });
});
