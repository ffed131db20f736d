/** The states of a job and the transitions between them: GA4GH TES 1.1's own names, with the meaning Porin gives them. */

export const JOB_STATES = [
  /** Waits for a node; its waiting reason says for what. */
  'QUEUED',
  /** Claimed: image, inputs and levels are being prepared. */
  'INITIALIZING',
  /** From the first payload's start until the outputs are published. */
  'RUNNING',
  'COMPLETE',
  /** Ended by the payload's or the submitter's fault: another attempt would end the same way. */
  'EXECUTOR_ERROR',
  /** Ended by our fault, after every attempt that was allowed. */
  'SYSTEM_ERROR',
  /** A worker holds the job and was told to stop. */
  'CANCELING',
  'CANCELED',
] as const;
export type JobState = (typeof JOB_STATES)[number];

const TRANSITIONS = {
  QUEUED: ['INITIALIZING', 'CANCELED'],
  // Back to QUEUED: held until a profile is approved, released by a draining node, or tried again.
  INITIALIZING: ['RUNNING', 'QUEUED', 'EXECUTOR_ERROR', 'SYSTEM_ERROR', 'CANCELING'],
  RUNNING: ['COMPLETE', 'QUEUED', 'EXECUTOR_ERROR', 'SYSTEM_ERROR', 'CANCELING'],
  // A cancel that comes too late to stop anything still ends as CANCELED: outputs are published under the claim only.
  CANCELING: ['CANCELED'],
  COMPLETE: [],
  EXECUTOR_ERROR: [],
  SYSTEM_ERROR: [],
  CANCELED: [],
} as const satisfies Record<JobState, readonly JobState[]>;

export type FinalJobState = {
  [S in JobState]: (typeof TRANSITIONS)[S] extends readonly [] ? S : never;
}[JobState];

export function canTransition(from: JobState, to: JobState): boolean {
  return (TRANSITIONS[from] as readonly JobState[]).includes(to);
}

/** States from which `to` can be reached in one step: the WHERE of an UPDATE that checks the old state. */
export function statesBefore(to: JobState): readonly JobState[] {
  return JOB_STATES.filter((from) => canTransition(from, to));
}

/** A final state is never left. */
export function isFinal(state: JobState): state is FinalJobState {
  return TRANSITIONS[state].length === 0;
}

/** @throws IllegalTransitionError */
export function assertTransition(from: JobState, to: JobState): void {
  if (!canTransition(from, to)) throw new IllegalTransitionError(from, to);
}

export class IllegalTransitionError extends Error {
  override readonly name = 'IllegalTransitionError';
  readonly code = 'illegal-transition';

  constructor(
    readonly from: JobState,
    readonly to: JobState,
  ) {
    super(`a job cannot go from ${from} to ${to}`);
  }
}
