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

/** From each state to those that may follow it; the database refuses every other change. */
export const ATTEMPT_TRANSITIONS = {
  OPEN: ['COMPLETE', 'FAILED', 'LOST', 'CANCELED', 'RELEASED'],
  COMPLETE: [],
  FAILED: [],
  LOST: [],
  CANCELED: [],
  RELEASED: [],
} as const satisfies Record<AttemptState, readonly AttemptState[]>;

/** Failures (FAILED or LOST attempts of our fault) after which a job ends as SYSTEM_ERROR. */
export const DEFAULT_MAXIMUM_ATTEMPTS = 3;
