/** The stages of an approved version, and the settings that decide how it gets from one to the other and what a denial does. */

/** What a version does to calls outside it: `audit` lets them be made and tells, `enforce` refuses them. */
export const STAGES = ['audit', 'enforce'] as const;
export type Stage = (typeof STAGES)[number];

/** What a run under `enforce` leads to in which a call was refused and reported. */
export const ON_DENIAL = ['hold', 'fail', 'report'] as const;
export type OnDenial = (typeof ON_DENIAL)[number];

/** What becomes of a build without an approved version where another build of its application has one. */
export const ON_NEW_BUILD = ['inherit', 'hold', 'learn'] as const;
export type OnNewBuild = (typeof ON_NEW_BUILD)[number];

/** Which additions to an approved version a rule approves in a person's place. */
export const AUTO_APPROVE = ['never', 'harmless'] as const;
export type AutoApprove = (typeof AUTO_APPROVE)[number];

/** What happens to jobs whose image belongs to no registered application. From lax to strict. */
export const UNKNOWN_CONTENT = ['learn', 'hold', 'refuse'] as const;
export type UnknownContent = (typeof UNKNOWN_CONTENT)[number];

/** Runs under audit, of any kind, after which a build waits for a person. */
export const AUDIT_RUNS_MAXIMUM = 30;
/** Days of audit after which a build waits for a person. */
export const AUDIT_DAYS = 14;

/** How long a version is audited: part of the signed statement that starts the audit. */
export interface AuditTerms {
  /** Quiet runs, one after another, after which the version is promoted. */
  readonly quietRuns: number;
  /** Different inputs among them, at least. */
  readonly inputs: number;
  /** Runs of any kind after which it ends unpromoted. */
  readonly runs: number;
  /** ISO 8601, UTC: when it ends unpromoted. */
  readonly until: string;
  /** The rules are those of another build: what gives authority beyond them is refused. */
  readonly inherited: boolean;
}

/** `since`: when the audit starts. */
export function auditTerms(
  needs: Pick<AuditTerms, 'quietRuns' | 'inputs'>,
  since: Date,
  inherited = false,
): AuditTerms {
  const until = new Date(since.getTime() + AUDIT_DAYS * 24 * 60 * 60 * 1000).toISOString();
  return { quietRuns: needs.quietRuns, inputs: needs.inputs, runs: AUDIT_RUNS_MAXIMUM, until, inherited };
}

/** `isSpent`: its runs were not enough for a promotion. Whether nothing but a person's decision goes on from here. */
export function isAuditOver({ until }: AuditTerms, isSpent: boolean, now: Date): boolean {
  return isSpent || now.getTime() >= Date.parse(until);
}
