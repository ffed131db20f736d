/** Decides which profile, enforcement and monitoring an executor runs with; the API and the worker call the same function. */
import { type AuditKind } from './audit/audit-kind.js';
import { type OnNewBuild } from './stages/stage.js';
import { type Enforcement, isTrace, type Level, type Monitoring, MONITORINGS } from './model/level.js';

/** What happens to jobs of a build that has no approved profile. */
export const POLICIES = ['learn', 'hold', 'refuse'] as const;
export type Policy = (typeof POLICIES)[number];

export interface SelectionInput {
  readonly policy: Policy;
  readonly approved: {
    readonly profileVersionId: string;
    readonly digest: string;
    /** What must be recorded to compare a run with it; see auditKind. */
    readonly auditKind: AuditKind;
    /** Its stage; `audit-over` once the audit has ended without a promotion. */
    readonly stage: 'audit' | 'audit-over' | 'enforce';
  } | null;
  /** Without an approved profile, where another build of the application has one: the application's `onNewBuild`. */
  readonly onNewBuild: OnNewBuild | null;
  readonly requested: { readonly enforcement?: Enforcement; readonly monitoring?: Monitoring };
  readonly role: 'submitter' | 'reviewer' | 'admin';
  /** True for the runs of a calibration, which only administrators start. */
  readonly calibration: boolean;
  /** What the node that asks can record; for the API, what any node can. */
  readonly offeredMonitorings: readonly Monitoring[];
}

type Approved = NonNullable<SelectionInput['approved']>;

/** Codes of the job error catalogue. */
export type SelectionRefusal =
  'profile-required' | 'audit-needs-profile' | 'level-not-allowed' | 'level-impossible' | 'monitoring-unavailable';

/** What a held job waits for: a profile's approval, the inheritance of one, or a person's word on an audit that is over. */
export type HoldUntil = 'approved-profile' | 'inherited-profile' | 'stage-decision';

export type Selection =
  | {
      readonly kind: 'run';
      readonly level: Level;
      /** Null exactly when enforcement is `none`. */
      readonly profileVersionId: string | null;
      readonly reason: string;
    }
  | { readonly kind: 'hold'; readonly until: HoldUntil; readonly reason: string }
  | { readonly kind: 'refuse'; readonly code: SelectionRefusal; readonly message: string };

/**
 * An approved profile is audited or enforced, as its stage says. Without one, a build of an application that has an approved
 * build goes by `onNewBuild`, and every other by the policy: `learn` runs under no enforcement and at least monitoring
 * `syscalls`, `hold` waits, `refuse` refuses. A job may ask for more monitoring than that, or for a trace in its
 * place; only administrators and calibrations may ask for less of either. A request that cannot be met is refused, never
 * weakened.
 */
export function selectLevel(input: SelectionInput): Selection {
  return input.approved ? withProfile(input, input.approved) : withoutProfile(input);
}

function withProfile(input: SelectionInput, { profileVersionId, auditKind, stage }: Approved): Selection {
  const ofStage = stage === 'enforce' ? 'enforce' : 'audit';
  const { enforcement = ofStage, monitoring = 'none' } = input.requested;
  if (enforcement === 'enforce') {
    return run(input, { enforcement, monitoring }, profileVersionId, 'the build has an approved profile');
  }
  const isLowered = input.requested.enforcement !== undefined && mayLower(input);
  if (enforcement !== ofStage && !isLowered) return lessNotAllowed(enforcement);
  if (stage === 'audit-over' && !isLowered) {
    const reason = 'the audit of the approved profile ended without a promotion, and an administrator decides';
    return { kind: 'hold', until: 'stage-decision', reason };
  }
  if (isTrace(monitoring) && enforcement === 'audit') {
    return refuse(
      'level-impossible',
      `Enforcement "audit" compares a recording with the profile, and monitoring "${monitoring}" makes none. Ask for monitoring "${auditKind}", or for another enforcement.`,
    );
  }
  return run(
    input,
    { enforcement, monitoring: enforcement === 'audit' ? atLeast(auditKind, monitoring) : monitoring },
    enforcement === 'none' ? null : profileVersionId,
    isLowered
      ? `${lowerer(input)} asked for enforcement "${enforcement}"`
      : 'the approved profile of the build is in audit',
  );
}

function withoutProfile(input: SelectionInput): Selection {
  const { policy } = input;
  const { enforcement, monitoring } = input.requested;
  if (enforcement === 'audit') {
    return mayLower(input)
      ? refuse('audit-needs-profile', 'Enforcement "audit" compares calls with an approved profile, and there is none.')
      : lessNotAllowed(enforcement);
  }
  if (enforcement === 'none' && mayLower(input)) {
    const level = { enforcement, monitoring: monitoring ?? (policy === 'learn' ? 'syscalls' : 'none') } as const;
    return run(input, level, null, `${lowerer(input)} asked for enforcement "none"`);
  }
  if (input.onNewBuild === 'inherit') {
    const reason = 'the rules of another build of the application are being taken over';
    return { kind: 'hold', until: 'inherited-profile', reason };
  }
  switch (input.onNewBuild ?? policy) {
    case 'learn': {
      if (enforcement === 'enforce') {
        return refuse('profile-required', 'The job asks for enforcement, and this build has no approved profile yet.');
      }
      const level: Level = {
        enforcement: 'none',
        monitoring: mayLower(input) && monitoring ? monitoring : atLeast('syscalls', monitoring),
      };
      return run(input, level, null, 'the policy is to learn, and the build has no approved profile');
    }
    case 'hold':
      return enforcement === 'none'
        ? lessNotAllowed(enforcement)
        : {
            kind: 'hold',
            until: 'approved-profile',
            reason: 'jobs are held until the build has an approved profile',
          };
    case 'refuse':
      return refuse(
        'profile-required',
        'The application runs only under an approved profile, and this build has none. Ask an administrator for one.',
      );
  }
}

/** A trace has every call too, though nothing is learned from it, so it is not below any. */
function atLeast(least: Monitoring, requested: Monitoring = 'none'): Monitoring {
  return MONITORINGS.indexOf(requested) < MONITORINGS.indexOf(least) ? least : requested;
}

function run(input: SelectionInput, level: Level, profileVersionId: string | null, reason: string): Selection {
  if (level.monitoring !== 'none' && !input.offeredMonitorings.includes(level.monitoring)) {
    return refuse(
      'monitoring-unavailable',
      `Monitoring "${level.monitoring}" is needed, and this node does not offer it. It offers: ${input.offeredMonitorings.join(', ') || 'none'}.`,
    );
  }
  const remark = REMARKS[level.monitoring];
  return { kind: 'run', level, profileVersionId, reason: remark === undefined ? reason : `${reason}; ${remark}` };
}

const TRACED = 'a trace was asked for, from which nothing is learned';
const REMARKS: Partial<Readonly<Record<Monitoring, string>>> = {
  trace: TRACED,
  'trace-notify': `${TRACED}; calls that a signal interrupts while they are held may mislead the program`,
};

function mayLower({ role, calibration }: SelectionInput): boolean {
  return role === 'admin' || calibration;
}

function lowerer({ calibration }: SelectionInput): string {
  return calibration ? 'a calibration' : 'an administrator';
}

function lessNotAllowed(enforcement: Enforcement): Selection {
  return refuse(
    'level-not-allowed',
    `Enforcement "${enforcement}" is less than the policy gives; only an administrator may ask for it.`,
  );
}

function refuse(code: SelectionRefusal, message: string): Selection {
  return { kind: 'refuse', code, message };
}
