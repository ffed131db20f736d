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
  /** Failures of the job before this attempt. */
  readonly failures: number;
  /** Of attempts to publish its outputs, this one included; null where it has not begun to. */
  readonly publicationFailures: number | null;
}

export type Verdict =
  | { readonly kind: 'again'; readonly failures: number; readonly waitingReason: WaitingReason }
  | {
      readonly kind: 'end';
      readonly failures: number;
      readonly state: FinalJobState;
      readonly errorCode: JobErrorCode;
    };

/** Of each pause before another attempt to the one before it. */
const PAUSE_GROWTH = 6;

/** What failed on our side is given time to mend; a lost worker's or a draining node's job may go to another at once. */
export function pauseMs({ state, failures }: EndedAttempt, firstPauseMs: number): number {
  return state === 'FAILED' ? firstPauseMs * PAUSE_GROWTH ** failures : 0;
}

/** An attempt given back unharmed is no failure; of failures, those that may end differently are tried again, up to a limit. */
export function verdictOn({ state, errorCode, failures, publicationFailures }: EndedAttempt): Verdict {
  if (state === 'RELEASED') return { kind: 'again', failures, waitingReason: 'retry-after-drain' };
  // A code that this version does not know comes from a newer worker: nobody's fault but ours, and worth another try.
  const code = errorCode !== null && isJobErrorCode(errorCode) ? errorCode : 'internal-error';
  const { retryable, finalState } = ERROR_CATALOGUE[code];
  const counted = failures + 1;
  if (publicationFailures !== null) {
    // Its payload is done, whatever failed before: only the outputs are tried again, as often as a job is.
    if (retryable && publicationFailures < DEFAULT_MAXIMUM_ATTEMPTS) return again(state, counted);
    return { kind: 'end', failures: counted, state: 'SYSTEM_ERROR', errorCode: 'publication-incomplete' };
  }
  if (!retryable || counted >= DEFAULT_MAXIMUM_ATTEMPTS) {
    return { kind: 'end', failures: counted, state: finalState ?? 'SYSTEM_ERROR', errorCode: code };
  }
  return again(state, counted);
}

function again(state: EndedAttempt['state'], failures: number): Verdict {
  const waitingReason = state === 'LOST' ? 'retry-after-lost-worker' : 'retry-after-system-error';
  return { kind: 'again', failures, waitingReason };
}
