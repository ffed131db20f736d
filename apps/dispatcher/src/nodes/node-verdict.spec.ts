import { describe, expect, it } from 'vitest';
import { type NodeFailure, type NodeRecord, nodeVerdict, PROBE_PATIENCE_MS } from './node-verdict.js';

const NOW = 1_000_000;
/** Well, and probed when it started. */
const node = (changes: Partial<NodeRecord> = {}): NodeRecord => ({
  isAlive: true,
  isReady: true,
  startedAtMs: 1_000,
  ailment: null,
  suspectReason: null,
  failedAtMs: null,
  failures: [],
  askedAtMs: 2_000,
  probedAtMs: 3_000,
  provedAtMs: 2_000,
  failedProbes: 0,
  answer: { problem: null },
  ...changes,
});
const failure = (applicationId: string, changes: Partial<NodeFailure> = {}): NodeFailure => ({
  applicationId,
  atMs: 10_000,
  isElsewhere: false,
  isOutlived: false,
  ...changes,
});
const OPEN = { askedAtMs: NOW - 500, answer: null } as const;
const reason = (changes: Partial<NodeRecord>) => nodeVerdict(node(changes), NOW).suspectReason;
const asks = (changes: Partial<NodeRecord>) => nodeVerdict(node(changes), NOW).asksForProbe;

describe('the verdict on a node', () => {
  it('that nothing is known against: it is well, and nothing is asked', () => {
    expect(nodeVerdict(node(), NOW)).toEqual({ suspectReason: null, probe: null, asksForProbe: false });
  });

  it.each<[string, Partial<NodeRecord>, RegExp | null]>([
    ['failures of one application say nothing', { failures: [failure('a')] }, null],
    ['failures of two make it suspect', { failures: [failure('a'), failure('b')] }, /2 applications/],
    ['not those before its last good probe', { failures: [failure('a', { atMs: 1 }), failure('b')] }, null],
    ['nor those that happen elsewhere too', { failures: [failure('a', { isElsewhere: true }), failure('b')] }, null],
    ['nor those that a later job outlived', { failures: [failure('a', { isOutlived: true }), failure('b')] }, null],
    ['what it says of itself does', { ailment: 'The engine is away.' }, /^The engine is away\.$/],
    ['a probe that failed does', { ...OPEN, answer: { problem: 'no disk' } }, /no disk/],
    ['one that was not answered does', { ...OPEN, askedAtMs: NOW - PROBE_PATIENCE_MS - 1 }, /not answered/],
    ['one that is open does not', OPEN, null],
    [
      'nor one of a node that does not report',
      { ...OPEN, askedAtMs: NOW - 2 * PROBE_PATIENCE_MS, isAlive: false },
      null,
    ],
    ['a suspect node stays it without a probe', { suspectReason: 'old' }, /old/],
    ['while a probe is open', { suspectReason: 'old', ...OPEN }, /old/],
    ['it is well when one succeeds', { suspectReason: 'old', ...OPEN, answer: { problem: null } }, null],
    [
      'whatever failed before that probe was asked for',
      { suspectReason: 'old', failures: [failure('a'), failure('b')], ...OPEN, answer: { problem: null } },
      null,
    ],
    [
      'not where two applications failed since',
      {
        suspectReason: 'old',
        failures: [failure('a', { atMs: NOW }), failure('b', { atMs: NOW })],
        ...OPEN,
        answer: { problem: null },
      },
      /2 applications/,
    ],
    [
      'nor while it says what ails it',
      { suspectReason: 'old', ailment: 'The engine is away.', ...OPEN, answer: { problem: null } },
      /engine/,
    ],
    ['an ailment that is gone is not enough', { suspectReason: 'The engine is away.' }, /engine/],
  ])('%s', (_name, changes, expected) => {
    if (expected === null) expect(reason(changes)).toBeNull();
    else expect(reason(changes)).toMatch(expected);
  });
});

describe('a probe', () => {
  it.each<[string, Partial<NodeRecord>, boolean]>([
    ['of a node that was started since the last one, before it is ready', { startedAtMs: 2_500, isReady: false }, true],
    ['that was never probed', { askedAtMs: null, probedAtMs: null, provedAtMs: null, isReady: false }, true],
    ['but not of one that does not report', { startedAtMs: 2_500, isAlive: false }, false],
    ['nor of one that is taken out of service', { suspectReason: 'old', isReady: false }, false],
    ['nor beside another', { suspectReason: 'old', ...OPEN }, false],
    ['of a suspect node', { suspectReason: 'old' }, true],
    ['again when one failed, but not at once', { ...OPEN, answer: { problem: 'no' } }, false],
    ['after two seconds', { ...OPEN, askedAtMs: NOW - 2_000, answer: { problem: 'no' } }, true],
    [
      'later with each',
      { suspectReason: 'old', failedProbes: 3, askedAtMs: NOW - 7_000, probedAtMs: NOW - 6_000 },
      false,
    ],
    [
      'every minute at last',
      { suspectReason: 'old', failedProbes: 30, askedAtMs: NOW - 60_000, probedAtMs: NOW - 59_000 },
      true,
    ],
    ['after any failure, so that it is known whose it was', { failedAtMs: 10_000 }, true],
    ['not after one that a good probe followed', { failedAtMs: 1_500 }, false],
    ['not while the node says what ails it', { ailment: 'The engine is away.' }, false],
    ['none when it has just succeeded', { suspectReason: 'old', ...OPEN, answer: { problem: null } }, false],
  ])('is asked for: %s', (_name, changes, expected) => {
    expect(asks(changes)).toBe(expected);
  });
});
