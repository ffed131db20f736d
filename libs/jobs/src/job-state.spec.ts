import { describe, expect, it } from 'vitest';
import {
  assertTransition,
  canTransition,
  type FinalJobState,
  IllegalTransitionError,
  isFinal,
  JOB_STATES,
  type JobState,
  statesBefore,
} from './job-state.js';

const ALLOWED = new Set([
  'QUEUED INITIALIZING',
  'QUEUED CANCELED',
  'INITIALIZING RUNNING',
  'INITIALIZING QUEUED',
  'INITIALIZING EXECUTOR_ERROR',
  'INITIALIZING SYSTEM_ERROR',
  'INITIALIZING CANCELING',
  'RUNNING COMPLETE',
  'RUNNING QUEUED',
  'RUNNING EXECUTOR_ERROR',
  'RUNNING SYSTEM_ERROR',
  'RUNNING CANCELING',
  'CANCELING CANCELED',
]);
const pairs = JOB_STATES.flatMap((from) => JOB_STATES.map((to) => [from, to] as const));

describe('job states', () => {
  it.each(pairs)('%s -> %s is allowed exactly if the design says so', (from, to) => {
    const allowed = ALLOWED.has(`${from} ${to}`);
    expect(canTransition(from, to)).toBe(allowed);
    expect(statesBefore(to).includes(from)).toBe(allowed);
    if (allowed) expect(() => assertTransition(from, to)).not.toThrow();
    else expect(() => assertTransition(from, to)).toThrow(IllegalTransitionError);
  });

  it('has four final states, and every other state can still be canceled', () => {
    const final: FinalJobState[] = ['COMPLETE', 'EXECUTOR_ERROR', 'SYSTEM_ERROR', 'CANCELED'];
    expect(JOB_STATES.filter(isFinal)).toEqual(final);
    for (const state of JOB_STATES.filter((candidate) => !isFinal(candidate))) {
      expect(reachable(state)).toContain('CANCELED');
    }
  });
});

function reachable(from: JobState, seen = new Set<JobState>()): Set<JobState> {
  for (const to of JOB_STATES) {
    if (!canTransition(from, to) || seen.has(to)) continue;
    seen.add(to);
    reachable(to, seen);
  }
  return seen;
}
