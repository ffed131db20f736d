import { describe, expect, it } from 'vitest';
import { type FinalJobState, isFinal, JOB_STATES, JOB_TRANSITIONS, type JobState } from './job-state.js';

describe('job states', () => {
  it('has four final states, and every other state can still be canceled', () => {
    const final: FinalJobState[] = ['COMPLETE', 'EXECUTOR_ERROR', 'SYSTEM_ERROR', 'CANCELED'];
    expect(JOB_STATES.filter(isFinal)).toEqual(final);
    for (const state of JOB_STATES.filter((candidate) => !isFinal(candidate))) {
      expect(reachable(state)).toContain('CANCELED');
    }
  });
});

function reachable(from: JobState, seen = new Set<JobState>()): Set<JobState> {
  for (const to of JOB_TRANSITIONS[from]) {
    if (seen.has(to)) continue;
    seen.add(to);
    reachable(to, seen);
  }
  return seen;
}
