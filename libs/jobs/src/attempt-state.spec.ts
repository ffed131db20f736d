import { expect, it } from 'vitest';
import { ATTEMPT_STATES, canEndAttempt } from './attempt-state.js';

it('an attempt ends exactly once', () => {
  const ends = ATTEMPT_STATES.flatMap((from) =>
    ATTEMPT_STATES.filter((to) => canEndAttempt(from, to)).map((to) => `${from} ${to}`),
  );
  expect(ends).toEqual(['OPEN COMPLETE', 'OPEN FAILED', 'OPEN LOST', 'OPEN CANCELED', 'OPEN RELEASED']);
});
