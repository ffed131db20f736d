import { describe, expect, it } from 'vitest';
import { type Enforcement, ENFORCEMENTS, type Monitoring, MONITORINGS } from './model/level.js';
import { POLICIES, type Policy, selectLevel, type SelectionInput } from './select-level.js';

const APPROVED = {
  profileVersionId: 'version-1',
  digest: 'sha256:00',
  auditKind: 'arguments',
  stage: 'enforce',
} as const;
const ROLES = ['submitter', 'reviewer', 'admin'] as const;
const OFFERS: readonly (readonly Monitoring[])[] = [['none'], ['none', 'syscalls'], MONITORINGS];

type Column = 'profile' | Policy;
type Who = 'ordinary' | 'lowering';
const UNDEFINED = 'unsaid';

/**
 * [who, requested enforcement, requested monitoring ("any" = whatever is asked, "unsaid" read as the given default)]:
 * what comes out with an approved profile, and without one under each policy. A level is written enforcement+monitoring,
 * where "=x" means the requested monitoring, x if unsaid, "^" means the same raised to at least syscalls, and "~" to what
 * the profile needs to be compared with.
 */
const TABLE: Record<Who, Record<Enforcement | typeof UNDEFINED, Record<Column, string>>> = {
  ordinary: {
    unsaid: { profile: 'enforce =none', learn: 'none ^', hold: 'hold approved-profile', refuse: 'profile-required' },
    enforce: {
      profile: 'enforce =none',
      learn: 'profile-required',
      hold: 'hold approved-profile',
      refuse: 'profile-required',
    },
    audit: {
      profile: 'level-not-allowed',
      learn: 'level-not-allowed',
      hold: 'level-not-allowed',
      refuse: 'level-not-allowed',
    },
    none: { profile: 'level-not-allowed', learn: 'none ^', hold: 'level-not-allowed', refuse: 'profile-required' },
  },
  lowering: {
    unsaid: {
      profile: 'enforce =none',
      learn: 'none =syscalls',
      hold: 'hold approved-profile',
      refuse: 'profile-required',
    },
    enforce: {
      profile: 'enforce =none',
      learn: 'profile-required',
      hold: 'hold approved-profile',
      refuse: 'profile-required',
    },
    audit: {
      profile: 'audit ~',
      learn: 'audit-needs-profile',
      hold: 'audit-needs-profile',
      refuse: 'audit-needs-profile',
    },
    none: { profile: 'none =none', learn: 'none =syscalls', hold: 'none =none', refuse: 'none =none' },
  },
};

const RAISED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '^': { none: 'syscalls' },
  '~': { none: 'arguments', syscalls: 'arguments' },
};

function expected(input: SelectionInput): string {
  const who = input.role === 'admin' || input.calibration ? 'lowering' : 'ordinary';
  const cell = TABLE[who][input.requested.enforcement ?? UNDEFINED][input.approved ? 'profile' : input.policy];
  const [enforcement, rule] = cell.split(' ');
  if (rule === undefined || enforcement === 'hold') return cell;
  const asked = input.requested.monitoring;
  const monitoring = RAISED[rule]?.[asked ?? 'none'] ?? asked ?? rule.slice(1);
  if (enforcement === 'audit' && monitoring.startsWith('trace')) return 'level-impossible';
  const offered = monitoring === 'none' || input.offeredMonitorings.includes(monitoring as Monitoring);
  return offered ? `${enforcement} ${monitoring}` : 'monitoring-unavailable';
}

function actual(input: SelectionInput): string {
  const selection = selectLevel(input);
  switch (selection.kind) {
    case 'run':
      return `${selection.level.enforcement} ${selection.level.monitoring}`;
    case 'hold':
      return `hold ${selection.until}`;
    case 'refuse':
      return selection.code;
  }
}

const inputs: SelectionInput[] = [];
for (const policy of POLICIES)
  for (const approved of [APPROVED, null])
    for (const enforcement of [undefined, ...ENFORCEMENTS])
      for (const monitoring of [undefined, ...MONITORINGS])
        for (const role of ROLES)
          for (const calibration of [false, true])
            for (const offeredMonitorings of OFFERS) {
              const requested = { ...(enforcement && { enforcement }), ...(monitoring && { monitoring }) };
              const who = { role, calibration, offeredMonitorings };
              inputs.push({ policy, approved, onNewBuild: null, requested, ...who });
            }

describe('selectLevel', () => {
  it('follows the table over the whole product of policies, profiles, requests, roles and offers', () => {
    expect(inputs.length).toBe(3 * 2 * 4 * 7 * 3 * 2 * 3);
    const wrong = inputs.filter((input) => actual(input) !== expected(input));
    expect(wrong.map((input) => ({ ...input, actual: actual(input), expected: expected(input) }))).toEqual([]);
  });

  it('uses the approved profile exactly when something is enforced or audited', () => {
    for (const input of inputs) {
      const selection = selectLevel(input);
      if (selection.kind !== 'run') continue;
      const profile = selection.level.enforcement === 'none' ? null : APPROVED.profileVersionId;
      expect(selection.profileVersionId).toBe(profile);
    }
  });

  it('never gives a submitter less than enforcement where there is a profile', () => {
    const ordinary = inputs.filter(({ approved, role, calibration }) => approved && role !== 'admin' && !calibration);
    for (const input of ordinary)
      expect(actual(input)).toMatch(/^enforce |^level-not-allowed$|^monitoring-unavailable$/);
  });

  it.each([
    ['audit', {}, 'submitter', 'audit arguments'],
    ['audit', { monitoring: 'files' }, 'submitter', 'audit files'],
    ['audit', { monitoring: 'trace' }, 'submitter', 'level-impossible'],
    ['audit', { enforcement: 'audit' }, 'submitter', 'audit arguments'],
    ['audit', { enforcement: 'enforce' }, 'submitter', 'enforce none'],
    ['audit', { enforcement: 'none' }, 'submitter', 'level-not-allowed'],
    ['audit', { enforcement: 'none' }, 'admin', 'none none'],
    ['audit-over', {}, 'submitter', 'hold stage-decision'],
    ['audit-over', {}, 'admin', 'hold stage-decision'],
    ['audit-over', { enforcement: 'audit' }, 'submitter', 'hold stage-decision'],
    ['audit-over', { enforcement: 'audit' }, 'admin', 'audit arguments'],
    ['audit-over', { enforcement: 'enforce' }, 'submitter', 'enforce none'],
  ] as const)('in stage %s, asked %o by a %s, is %s', (stage, requested, role, expectation) => {
    const input = { policy: 'hold', onNewBuild: null, calibration: false, offeredMonitorings: MONITORINGS } as const;
    expect(actual({ ...input, approved: { ...APPROVED, stage }, requested, role })).toBe(expectation);
  });

  it.each([
    ['learn', 'inherit', {}, 'submitter', 'hold inherited-profile'],
    ['refuse', 'inherit', {}, 'submitter', 'hold inherited-profile'],
    ['learn', 'hold', {}, 'submitter', 'hold approved-profile'],
    ['hold', 'learn', {}, 'submitter', 'none syscalls'],
    ['learn', 'inherit', { enforcement: 'none' }, 'submitter', 'hold inherited-profile'],
    ['learn', 'inherit', { enforcement: 'none' }, 'admin', 'none syscalls'],
    ['learn', null, {}, 'submitter', 'none syscalls'],
  ] as const)(
    'for a build of policy %s with onNewBuild %s, asked %o by a %s, is %s',
    (policy, onNewBuild, requested, role, expectation) => {
      const input = { approved: null, calibration: false, offeredMonitorings: MONITORINGS };
      expect(actual({ ...input, policy, onNewBuild, requested, role })).toBe(expectation);
    },
  );

  it('says of a trace that it teaches nothing', () => {
    for (const input of inputs) {
      const selection = selectLevel(input);
      if (selection.kind !== 'run') continue;
      expect(selection.reason.includes('nothing is learned')).toBe(selection.level.monitoring.startsWith('trace'));
    }
  });

  it('says why, in words', () => {
    for (const input of inputs) {
      const selection = selectLevel(input);
      expect(selection.kind === 'refuse' ? selection.message : selection.reason).toMatch(/\w+ \w+/);
    }
  });
});
