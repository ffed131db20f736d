import { describe, expect, it } from 'vitest';
import { type AuditedRun, commonCalls, isUnpromoted, promotionSentence, promotionStanding } from './promotion.js';
import { AUDIT_RUNS_MAXIMUM, auditTerms } from './stage.js';

const START = new Date('2026-01-01T00:00:00Z');
const later = (days: number) => new Date(START.getTime() + days * 24 * 60 * 60 * 1000);
const TERMS = auditTerms({ quietRuns: 3, inputs: 2 }, START);
const quiet = (dataDigest: string): AuditedRun => ({
  ...{ dataDigest, denials: 0, isTelling: true, doesTheWork: true },
});
const help: AuditedRun = { ...quiet('a'), doesTheWork: false };
const denied: AuditedRun = { ...quiet('a'), denials: 1 };
const standing = (...runs: AuditedRun[]) => promotionStanding(runs, TERMS, true);

describe('runs under audit', () => {
  it('are enough when as many as asked for were quiet, on as many inputs', () => {
    expect(standing(quiet('a'), quiet('b'), quiet('b')).isReached).toBe(true);
    expect(standing(quiet('a'), quiet('b')).isReached).toBe(false);
    expect(standing(quiet('a'), quiet('a'), quiet('a'), quiet('a')).isReached).toBe(false);
  });

  it.each([
    ['did less than every recording behind the version', help],
    ['did not end as expected, or was not recorded whole', { ...quiet('b'), isTelling: false }],
  ])('count a run neither way that %s', (_name, run) => {
    const { quietRuns, inputs, runs } = standing(quiet('a'), run, quiet('a'));
    expect({ quietRuns, inputs, runs }).toEqual({
      quietRuns: { have: 2, need: 3 },
      inputs: { have: 1, need: 2 },
      runs: { have: 3, most: AUDIT_RUNS_MAXIMUM },
    });
  });

  it('begin to count anew after a run with a denial', () => {
    expect(standing(quiet('a'), quiet('b'), denied, quiet('c')).quietRuns.have).toBe(1);
    expect(standing(quiet('a'), quiet('b'), quiet('b'), denied).isReached).toBe(false);
  });

  it('are never enough where nothing says what the program does', () => {
    const stands = promotionStanding([quiet('a'), quiet('b'), quiet('c')], TERMS, false);
    expect(stands).toMatchObject({ isReached: false, runs: { have: 3 } });
    expect(promotionSentence(stands)).toContain('a person decides');
  });

  it('are told in one sentence', () => {
    expect(promotionSentence(standing(quiet('a'), quiet('b')))).toBe('audit: 2 of 3 quiet runs, 2 of 2 inputs');
  });
});

describe('an audit', () => {
  const reached = standing(quiet('a'), quiet('b'), quiet('b'));
  const many = (count: number, run: () => AuditedRun) => Array.from({ length: count }, run);
  const after = (count: number, ...last: AuditedRun[]) =>
    standing(...many(count - last.length, () => ({ ...quiet('a'), denials: 1 })), ...last);

  it.each([
    ['goes on before its end', reached, later(13), false],
    ['is over at its end, whatever was reached by then', reached, later(14), true],
    ['goes on before its last run', after(29), START, false],
    ['is over after its last run', after(30), START, true],
    [
      'is not over with a last run that was the one missing',
      after(30, quiet('a'), quiet('b'), quiet('b')),
      START,
      false,
    ],
    ['is over after more runs than it has', after(31, quiet('a'), quiet('b'), quiet('b')), START, true],
    [
      'is not over after more runs than it has, when the first of them were enough',
      standing(...many(20, () => quiet('a')), ...many(20, () => quiet('b'))),
      START,
      false,
    ],
    ['is over after as many runs that say nothing', standing(...many(30, () => help)), START, true],
  ])('%s', (_name, stands, now, isOver) => {
    expect(isUnpromoted(stands, TERMS, now)).toBe(isOver);
  });
});

it('what a run must do to count is what all recordings did, and no file rule', () => {
  const all = { seenIn: 3, of: 3 };
  expect(commonCalls({ read: all, stat: { seenIn: 2, of: 3 }, kill: { seenIn: 0, of: 0 }, 'file:/etc': all })).toEqual([
    'read',
  ]);
});
