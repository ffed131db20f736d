/** The states of an attempt: one try at a job on one node. It begins OPEN, and what it left it never enters again. */

export const ATTEMPT_STATES = [
  /** Holds the job's fence and a lease. At most one per job. */
  'OPEN',
  /** Holds them too: the manifest of the outputs is stored, and the attempt only puts them in place. */
  'PUBLISHING',
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
/** An attempt in one of these holds its job. */
export const OPEN_ATTEMPT_STATES = ['OPEN', 'PUBLISHING'] as const satisfies readonly AttemptState[];
export type EndedAttemptState = Exclude<AttemptState, (typeof OPEN_ATTEMPT_STATES)[number]>;

export function isOpenAttempt(state: AttemptState): boolean {
  return OPEN_ATTEMPT_STATES.some((open) => open === state);
}

/** As a condition on `attempt.state`, for SQL. */
export const ATTEMPT_IS_OPEN = `attempt.state IN ('${OPEN_ATTEMPT_STATES.join("', '")}')`;

/** From each state to those that may follow it; the database refuses every other change. */
export const ATTEMPT_TRANSITIONS = {
  // COMPLETE at once where there are no outputs.
  OPEN: ['PUBLISHING', 'COMPLETE', 'FAILED', 'LOST', 'CANCELED', 'RELEASED'],
  // Never CANCELED: what has begun to be published is finished, or the job says what is missing.
  PUBLISHING: ['COMPLETE', 'FAILED', 'LOST', 'RELEASED'],
  COMPLETE: [],
  FAILED: [],
  LOST: [],
  CANCELED: [],
  RELEASED: [],
} as const satisfies Record<AttemptState, readonly AttemptState[]>;

/** Failures (FAILED or LOST attempts of our fault) after which a job ends as SYSTEM_ERROR. */
export const DEFAULT_MAXIMUM_ATTEMPTS = 3;
