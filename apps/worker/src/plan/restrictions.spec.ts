import { JobError } from '#lib/jobs';
import { type Profile, programDigest } from '#lib/profiles';
import { describe, expect, it } from 'vitest';
import { restrictions } from './restrictions.js';

const PROFILE: Profile = {
  version: 1,
  architecture: 'x86_64',
  rules: [{ names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
  files: [{ path: '/usr', rights: ['read', 'execute'] }],
  landlockMinimum: 'FULLY_ENFORCED',
  pids: 12,
};
const places = { inputs: ['/in/a'], outputs: ['/out'], temporary: ['/tmp'] };
const approved = { id: 'version-1', profile: PROFILE, audit: null };
const context = (landlockAbi: number | null = 7) => ({
  ...{ places, architecture: 'x86_64' as const, beyondDefault: [] },
  node: { name: 'node-1', landlockAbi },
});
const ENFORCE = { enforcement: 'enforce', monitoring: 'none' } as const;

describe('the restrictions of a run', () => {
  it('are the filter, files, minimum and processes of the profile under "enforce"', () => {
    const { filter, landlock, ...rest } = restrictions(ENFORCE, approved, context());
    expect(filter.filter.length).toBeGreaterThan(10);
    expect(landlock).toContainEqual({ path: '/usr', rights: ['read', 'execute'] });
    expect(landlock).toContainEqual({ path: '/out', rights: ['read', 'write', 'create'] });
    expect(landlock).toContainEqual({ path: '/in/a', rights: ['read'] });
    expect(rest).toEqual({ landlockMinimum: 'FULLY_ENFORCED', pids: 12 });
  });

  it('are the filter alone under "audit" and without enforcement, whatever the profile and the kernel', () => {
    for (const enforcement of ['audit', 'none'] as const) {
      const restricted = restrictions({ enforcement, monitoring: 'none' }, approved, context(null));
      expect(Object.keys(restricted)).toEqual(['filter']);
    }
  });

  it('are those of "enforce" in an audit of inherited rules, whose harmless calls alone are open', () => {
    const terms = { quietRuns: 5, inputs: 3, runs: 30, until: '2030-01-01T00:00:00.000Z' };
    const AUDIT = { enforcement: 'audit', monitoring: 'files' } as const;
    const own = restrictions(AUDIT, { ...approved, audit: { ...terms, inherited: false } }, context());
    const inherited = restrictions(AUDIT, { ...approved, audit: { ...terms, inherited: true } }, context());
    const { filter, ...rest } = inherited;
    const { filter: _filter, ...enforced } = restrictions(ENFORCE, approved, context());
    expect(rest).toEqual(enforced);
    expect(programDigest(filter.filter)).not.toBe(programDigest(own.filter.filter));
  });

  it('are the filter alone for a profile of names', () => {
    const { files: _files, landlockMinimum: _minimum, pids: _pids, ...names } = PROFILE;
    expect(Object.keys(restrictions(ENFORCE, { ...approved, profile: names }, context(null)))).toEqual(['filter']);
  });

  it('notify every call for a trace by the supervisor', () => {
    const [plain, traced] = (['none', 'trace-notify'] as const).map(
      (monitoring) => restrictions({ enforcement: 'none', monitoring }, null, context()).filter,
    );
    expect(programDigest(traced?.filter ?? [])).not.toBe(programDigest(plain?.filter ?? []));
  });

  it.each([
    [null, 'enforces only NOT_ENFORCED'],
    [4, 'enforces only PARTIALLY_ENFORCED'],
  ])('cannot be had on a node of Landlock ABI %s that is less than the profile demands', (abi, words) => {
    expect(() => restrictions(ENFORCE, approved, context(abi))).toThrow(words);
    expect(codeOf(() => restrictions(ENFORCE, approved, context(abi)))).toBe('landlock-unavailable');
  });

  it('can be had there when the profile demands less', () => {
    const partly = { ...approved, profile: { ...PROFILE, landlockMinimum: 'PARTIALLY_ENFORCED' as const } };
    expect(restrictions(ENFORCE, partly, context(4)).landlock).toBeDefined();
  });

  it('refuse a job of more places than Landlock rules a run may have', () => {
    const inputs = Array.from({ length: 1100 }, (_, index) => `/in/${index}`);
    const many = { ...context(), places: { ...places, inputs } };
    expect(codeOf(() => restrictions(ENFORCE, approved, many))).toBe('too-many-places');
  });

  it('say by name that a profile is too large for a filter', () => {
    const args = (value: number) => [
      { argument: 1, op: 'SCMP_CMP_EQ' as const, value: `0x${(value * 3 + 1).toString(16)}` as const },
    ];
    const rules = Array.from({ length: 5000 }, (_, index) => ({
      ...{ names: ['ioctl'], action: 'SCMP_ACT_ALLOW' as const },
      args: args(index),
    }));
    const large = { ...approved, profile: { ...PROFILE, rules } };
    expect(codeOf(() => restrictions(ENFORCE, large, context()))).toBe('profile-uncompilable');
  });
});

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof JobError) return error.code;
    throw error;
  }
  return 'no error';
}
