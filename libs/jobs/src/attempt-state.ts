/** The states of an attempt: one try at a job on one node. OPEN is left once and never entered again. */

export const ATTEMPT_STATES = [
  /** Holds the job's fence and a lease. At most one per job. */
  'OPEN',
  'COMPLETE',
  /** Ended with an error, whoever's fault. */
  'FAILED',
  /** Its lease ran out on the database's clock. */
  'LOST',
  'CANCELED',
  /** Given back unharmed, by a hold or a draining node: not a failure, and not counted as one. */
  'RELEASED',
] as const;
export type AttemptState = (typeof ATTEMPT_STATES)[number];
export type EndedAttemptState = Exclude<AttemptState, 'OPEN'>;

/** Failures (FAILED or LOST attempts of our fault) after which a job ends as SYSTEM_ERROR. */
export const DEFAULT_MAXIMUM_ATTEMPTS = 3;

export function isEnded(state: AttemptState): state is EndedAttemptState {
  return state !== 'OPEN';
}

export function canEndAttempt(from: AttemptState, to: AttemptState): boolean {
  return from === 'OPEN' && isEnded(to);
}
