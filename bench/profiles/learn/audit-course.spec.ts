import { describe, expect, it } from 'vitest';
import { auditedCases, nextStep } from './audit-course.js';
import { readCorpus } from '../cases/corpus.js';
import { type Standing } from './learner.js';
import { planOf } from '../cases/plan.js';

function audited(quiet: number, inputs: number, change: Partial<Standing> = {}, isOver = false): Standing {
  return {
    waiting: 0,
    proposedId: null,
    stage: {
      stage: 'audit',
      promotion: { quietRuns: { have: quiet, need: 5 }, inputs: { have: inputs, need: 3 }, isOver },
    },
    ...change,
  };
}

describe('an audit', () => {
  it('runs what is missing to its end: quiet runs, or inputs', () => {
    expect(nextStep(audited(0, 0), 0)).toEqual({ kind: 'run', runs: 5 });
    expect(nextStep(audited(3, 3), 5)).toEqual({ kind: 'run', runs: 2 });
    expect(nextStep(audited(5, 2), 5)).toEqual({ kind: 'run', runs: 1 });
  });

  it('waits while recordings are considered, and for a promotion that is due', () => {
    expect(nextStep(audited(0, 0, { waiting: 1, proposedId: 'p' }), 5)).toEqual({ kind: 'wait' });
    expect(nextStep(audited(5, 3), 5)).toEqual({ kind: 'wait' });
    expect(nextStep(audited(0, 0, { stage: null }), 0)).toEqual({ kind: 'wait' });
  });

  it('approves what is proposed before anything else, though the version before is enforced by now', () => {
    const approve = { kind: 'approve', profileId: 'p' };
    expect(nextStep(audited(3, 3, { proposedId: 'p' }), 5)).toEqual(approve);
    expect(nextStep(audited(0, 0, { proposedId: 'p', stage: { stage: 'enforce' } }), 5)).toEqual(approve);
  });

  it('ends with a promotion, or where a person must decide, or after thirty runs', () => {
    expect(nextStep(audited(0, 0, { stage: { stage: 'enforce' } }), 5)).toEqual({ kind: 'end', isPromoted: true });
    const unpromoted = { kind: 'end', isPromoted: false };
    expect(nextStep(audited(1, 1, {}, true), 5)).toEqual(unpromoted);
    expect(nextStep(audited(5, 3, {}, true), 5)).toEqual(unpromoted);
    expect(nextStep(audited(1, 1), 30)).toEqual(unpromoted);
    expect(nextStep(audited(1, 1), 28)).toEqual({ kind: 'run', runs: 2 });
  });

  it('takes the cases that nothing was learned from first, and all of them again afterwards', () => {
    const [application] = readCorpus();
    if (!application) throw new Error('the corpus is empty');
    const plan = planOf(application, { learnFrom: 'first', levels: [], cases: undefined, mode: 'stages' });
    const ids = (before: number, runs: number) => auditedCases(plan, before, runs).map(({ id }) => id);
    expect(ids(0, 5)).toEqual(['l03', 'l04', 'l05', 'l00', 'l01']);
    expect(ids(5, 3)).toEqual(['l02', 'l03', 'l04']);
  });
});
