import { JOB_STATES } from '#lib/jobs';
import { expect, it } from 'vitest';
import { jobStatesOf, TES_STATE_OF, TES_STATES } from './tes-state.js';

it('every job is found by the state that it is shown in, and by no other', () => {
  const found = TES_STATES.flatMap((state) => jobStatesOf(state).map((job) => [job, state]));
  expect(found.sort()).toEqual(JOB_STATES.map((job) => [job, TES_STATE_OF[job]]).sort());
});

it.each(['CANCELING', 'PREEMPTED', 'UNKNOWN', 'PAUSED'] as const)('no task is shown as %s', (state) => {
  expect(jobStatesOf(state)).toEqual([]);
});
