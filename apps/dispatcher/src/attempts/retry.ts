/** Decides what becomes of a job whose attempt has ended without ending it: another attempt, or the end. */
import {
  type AttemptState,
  DEFAULT_MAXIMUM_ATTEMPTS,
  ERROR_CATALOGUE,
  type FinalJobState,
  isJobErrorCode,
  type JobErrorCode,
  type WaitingReason,
} from '#lib/jobs';

export interface EndedAttempt {
  readonly state: Extract<AttemptState, 'FAILED' | 'LOST' | 'RELEASED'>;
  readonly errorCode: string | null;
  /** Failures that the job was charged with before this attempt. */
  readonly failures: number;
  /** Failures that it was not charged with. */
  readonly freeFailures: number;
  /** Attempts before this one that failed by what may be the node's fault, on nodes where a probe succeeded since. */
  readonly failedOnWellNodes: number;
  /** Nodes that could take it, and have not tried it. */
  readonly untriedNodes: number;
  /** Of attempts to publish its outputs, this one included; null where it has not begun to. */
  readonly publicationFailures: number | null;
}

export interface Again {
  readonly kind: 'again';
  readonly failures: number;
  readonly waitingReason: WaitingReason;
  /** The job is not charged with the failure: the node is held to be its cause. */
  readonly isFree: boolean;
}

export type Verdict =
  | Again
  | {
      readonly kind: 'end';
      readonly failures: number;
      readonly state: FinalJobState;
      readonly errorCode: JobErrorCode;
      readonly isFree: false;
    };

/** Of each pause before another attempt to the one before it. */
const PAUSE_GROWTH = 6;
/** Of one job. */
const FREE_TRIES = 5;
/** A job that failed on so many nodes that proved well since is at fault itself. */
const WELL_NODES = 2;

/**
 * What failed on our side is given time to mend; a lost worker's or a draining node's job may go to another at once, and so may
 * one that a node failed for the first time.
 */
export function pauseMs(attempt: EndedAttempt, { isFree }: Again, firstPauseMs: number): number {
  const { state, failures, freeFailures } = attempt;
  if (isNobodys(attempt)) return firstPauseMs;
  if (state !== 'FAILED' || (isFree && freeFailures === 0)) return 0;
  return firstPauseMs * PAUSE_GROWTH ** failures;
}

/** Whether the node may be at fault; when its outputs are being put in place, the job is bound to the node. */
export function mayBeNodes({ state, errorCode, publicationFailures }: EndedAttempt): boolean {
  return state !== 'RELEASED' && publicationFailures === null && ERROR_CATALOGUE[codeOf(errorCode)].mayBeNode;
}

/**
 * An attempt given back unharmed is no failure; of failures, those that may end differently are tried again, up to a limit. One
 * that may be the node's fault is free, until the job has failed on two nodes that are well.
 */
export function verdictOn(attempt: EndedAttempt): Verdict {
  const { state, errorCode, failures, publicationFailures } = attempt;
  if (state === 'RELEASED') return { kind: 'again', failures, waitingReason: 'retry-after-drain', isFree: false };
  const code = codeOf(errorCode);
  const { retryable, finalState } = ERROR_CATALOGUE[code];
  if (isFree(attempt, retryable)) return again(state, failures, true);
  const counted = failures + 1;
  if (publicationFailures !== null) {
    // Its payload is done, whatever failed before: only the outputs are tried again, as often as a job is.
    if (retryable && publicationFailures < DEFAULT_MAXIMUM_ATTEMPTS) return again(state, counted, false);
    return {
      kind: 'end',
      failures: counted,
      state: 'SYSTEM_ERROR',
      errorCode: 'publication-incomplete',
      isFree: false,
    };
  }
  if (!retryable || counted >= DEFAULT_MAXIMUM_ATTEMPTS) {
    return { kind: 'end', failures: counted, state: finalState ?? 'SYSTEM_ERROR', errorCode: code, isFree: false };
  }
  return again(state, counted, false);
}

/** What would fail again in the same way on the same node is tried on others only. */
function isFree(attempt: EndedAttempt, retryable: boolean): boolean {
  const { freeFailures, failedOnWellNodes, untriedNodes } = attempt;
  if (freeFailures >= FREE_TRIES) return false;
  if (isNobodys(attempt)) return true;
  if (!mayBeNodes(attempt)) return false;
  return retryable ? failedOnWellNodes < WELL_NODES : untriedNodes > 0;
}

/** The database's own trouble is no node's, as far as a node may be believed: no more often than it is free otherwise. */
function isNobodys({ state, errorCode }: EndedAttempt): boolean {
  return state === 'FAILED' && errorCode === 'database-away';
}

/** A code that this version does not know comes from a newer worker: nobody's fault but ours, and worth another try. */
export function codeOf(errorCode: string | null): JobErrorCode {
  return errorCode !== null && isJobErrorCode(errorCode) ? errorCode : 'internal-error';
}

function again(state: EndedAttempt['state'], failures: number, isFree: boolean): Again {
  const waitingReason = state === 'LOST' ? 'retry-after-lost-worker' : 'retry-after-system-error';
  return { kind: 'again', failures, waitingReason, isFree };
}
