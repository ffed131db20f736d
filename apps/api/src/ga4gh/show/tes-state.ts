/** The states of jobs as TES clients see them. */
import { JOB_STATES, type JobState } from '#lib/jobs';

/** All of TES 1.1; Porin shows those that a job has, but for CANCELING. */
export const TES_STATES = [
  'UNKNOWN',
  'QUEUED',
  'INITIALIZING',
  'RUNNING',
  'PAUSED',
  'COMPLETE',
  'EXECUTOR_ERROR',
  'SYSTEM_ERROR',
  'CANCELED',
  'PREEMPTED',
  'CANCELING',
] as const;
export type TesState = (typeof TES_STATES)[number];

/** Clients wait for ever on CANCELING, and a job that is being canceled ends in no other way. */
export const TES_STATE_OF = {
  QUEUED: 'QUEUED',
  INITIALIZING: 'INITIALIZING',
  RUNNING: 'RUNNING',
  COMPLETE: 'COMPLETE',
  EXECUTOR_ERROR: 'EXECUTOR_ERROR',
  SYSTEM_ERROR: 'SYSTEM_ERROR',
  CANCELING: 'CANCELED',
  CANCELED: 'CANCELED',
} as const satisfies Record<JobState, TesState>;

/** None for a state that no task is ever shown in. */
export function jobStatesOf(state: TesState): readonly JobState[] {
  return JOB_STATES.filter((each) => TES_STATE_OF[each] === state);
}
