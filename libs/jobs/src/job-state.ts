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

/** From each state to those that may follow it. The database refuses every other change (libs/database/src/functions/state-machine.ts). */
export const JOB_TRANSITIONS = {
  // Of a held job: what it was refused was not allowed, or nobody decided in time.
  QUEUED: ['INITIALIZING', 'EXECUTOR_ERROR', 'SYSTEM_ERROR', 'CANCELED'],
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
  [S in JobState]: (typeof JOB_TRANSITIONS)[S] extends readonly [] ? S : never;
}[JobState];

/** A final state is never left. */
export function isFinal(state: JobState): state is FinalJobState {
  return JOB_TRANSITIONS[state].length === 0;
}

export const FINAL_STATES: readonly FinalJobState[] = JOB_STATES.filter(isFinal);
