/** Which recordings teach: the one place that decides it, in SQL, for proposals, for answers, and for a recording's own words. */
import { PARTIAL_REASON_WORDS, type PartialReason } from '#lib/profiles';

export const VERDICTS = [
  'teaches',
  /** It would teach if it can be believed, which nobody has looked at yet. */
  'unchecked',
  'job-not-ended',
  'canceled',
  'system-error',
  /** The run was ended by a signal, a limit or a cancel, or never started. */
  'stopped',
  /** The run ended with an exit code after it had reached a limit, or something else had gone wrong. */
  'troubled',
  'exit-code',
  'partial',
  'unbelievable',
  'enforced',
  'refused-version',
] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Verdicts on runs that did not end as they should. */
export const FAILED_VERDICTS: readonly Verdict[] = ['canceled', 'system-error', 'stopped', 'troubled', 'exit-code'];

/** What VERDICT speaks of. */
export const RECORDED_RUNS = `recording JOIN executor_run AS run ON run.id = recording.executor_run_id
  JOIN attempt ON attempt.job_id = run.job_id AND attempt.number = run.attempt_number
  JOIN job ON job.id = run.job_id
  JOIN build ON build.id = run.build_id JOIN application ON application.id = build.application_id`;

/**
 * An expected exit code is all that a run needs, whatever the other executors of its job did; an attempt ends at the first
 * run with another code than 0, so its error is about that run. Under enforcement a recording lacks the refused calls,
 * so it only adds to a version that was approved. Rejected and revoked versions need new evidence.
 */
export const VERDICT = `CASE
  WHEN job.ended_at IS NULL THEN 'job-not-ended'
  WHEN job.state = 'CANCELED' THEN 'canceled'
  WHEN job.state NOT IN ('COMPLETE', 'EXECUTOR_ERROR') THEN 'system-error'
  WHEN run.outcome IS DISTINCT FROM 'exited' OR run.exit_code IS NULL THEN 'stopped'
  WHEN run.exit_code <> 0 AND attempt.error_code IS DISTINCT FROM 'exit-code' THEN 'troubled'
  WHEN run.exit_code <> ALL (application.expected_exit_codes) THEN 'exit-code'
  WHEN recording.partial_reasons <> '{}' THEN 'partial'
  WHEN recording.problem IS NOT NULL THEN 'unbelievable'
  WHEN run.enforcement <> 'none' AND NOT EXISTS (
    SELECT FROM profile_version AS version WHERE version.build_id = build.id AND version.state = 'APPROVED') THEN 'enforced'
  WHEN EXISTS (
    SELECT FROM profile_version_recording AS link JOIN profile_version AS version ON version.id = link.profile_version_id
    WHERE link.executor_run_id = run.id AND version.state IN ('REJECTED', 'REVOKED')) THEN 'refused-version'
  WHEN recording.call_names IS NULL THEN 'unchecked'
  ELSE 'teaches' END`;

export interface VerdictFacts {
  readonly exitCode: number | null;
  readonly expectedExitCodes: readonly number[];
  readonly errorMessage: string | null;
  readonly partialReasons: readonly string[];
  readonly problem: string | null;
}

/** Why nothing is learned from it, for whoever waits for that; null where it teaches. */
export function verdictWords(verdict: Verdict, facts: VerdictFacts): string | null {
  switch (verdict) {
    case 'teaches':
      return null;
    case 'unchecked':
      return 'It has not been considered yet.';
    case 'job-not-ended':
      return 'Its job has not ended.';
    case 'canceled':
      return 'Its job was canceled.';
    case 'system-error':
      return 'Its job ended with an error of the grid.';
    case 'stopped':
      return `The run did not end by itself. ${facts.errorMessage ?? ''}`.trim();
    case 'troubled':
      return `The run ended with exit code ${facts.exitCode}, but not because the program wanted to. ${facts.errorMessage ?? ''}`.trim();
    case 'exit-code':
      return (
        `The run ended with exit code ${facts.exitCode}; expected of its application: ${facts.expectedExitCodes.join(', ')}. ` +
        'Where this is how it should end, an administrator adds the code to expectedExitCodes.'
      );
    case 'partial':
      return `It is partial. ${facts.partialReasons.map(partialReasonWords).join(' ')}`;
    case 'unbelievable':
      return `It cannot be believed: ${facts.problem}.`;
    case 'enforced':
      return 'The run was restricted by a profile, so calls may be missing, and its build has no approved version that it could add to.';
    case 'refused-version':
      return 'A version that was made from it was rejected or revoked.';
  }
}

/** A worker of another version may know another reason. */
export function partialReasonWords(reason: string): string {
  return Object.hasOwn(PARTIAL_REASON_WORDS, reason) ? PARTIAL_REASON_WORDS[reason as PartialReason] : `${reason}.`;
}
