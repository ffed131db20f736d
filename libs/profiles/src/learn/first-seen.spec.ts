import { describe, expect, it } from 'vitest';
import { firstSeenIn, recordedNames, withRuns } from './first-seen.js';

describe('the run that brought a call', () => {
  const runs = [
    { executorRunId: 'first', recording: { calls: { read: 1, write: 0 } } },
    { executorRunId: 'second', recording: { calls: { read: 2, write: 1 }, refused: { mbind: { EPERM: 1 } } } },
    { executorRunId: 'third', recording: { calls: { write: 1, mbind: 1 } } },
  ];

  it('is the oldest one whose recording has it, also as a call that was refused', () => {
    expect([...firstSeenIn(runs)]).toEqual([
      ['read', 'first'],
      ['mbind', 'second'],
      ['write', 'second'],
    ]);
  });

  it('is that of the version before, where that one had it', () => {
    const before = { read: { origin: 'seen', run: 'earlier' } } as const;
    const origins = { futex: { origin: 'basic' }, read: { origin: 'seen' }, write: { origin: 'seen' } } as const;
    expect(withRuns(origins, firstSeenIn(runs), before)).toEqual({
      futex: { origin: 'basic' },
      read: { origin: 'seen', run: 'earlier' },
      write: { origin: 'seen', run: 'second' },
    });
  });

  it('says how it brought it: what a version has, no audit brings', () => {
    const before = {
      read: { origin: 'basic' },
      kill: { origin: 'basic' },
      tee: { origin: 'denied', run: 'earlier' },
      socket: { origin: 'inherited', run: 'earlier' },
    } as const;
    const seen = { origin: 'seen' } as const;
    const origins = {
      read: seen,
      kill: seen,
      tee: seen,
      socket: seen,
      bind: seen,
      listen: seen,
      futex: { origin: 'basic' },
    } as const;
    const firstSeen = new Map([
      ['read', 'audited'],
      ['kill', 'refused'],
      ['tee', 'audited'],
      ['socket', 'audited'],
      ['bind', 'audited'],
      ['listen', 'learned'],
      ['futex', 'audited'],
    ]);
    const how = { audited: 'audit', refused: 'denied', learned: 'seen' } as const;
    expect(withRuns(origins, firstSeen, before, (run) => how[run as keyof typeof how])).toEqual({
      read: { origin: 'seen', run: 'audited' },
      kill: { origin: 'denied', run: 'refused' },
      tee: { origin: 'denied', run: 'earlier' },
      socket: { origin: 'seen', run: 'earlier' },
      bind: { origin: 'audit', run: 'audited' },
      listen: { origin: 'seen', run: 'learned' },
      futex: { origin: 'basic', run: 'audited' },
    });
  });
});

it('a recording names what was made and what was refused, each once', () => {
  const refused = { mbind: { EPERM: 1 }, read: { EPERM: 1 } };
  expect(recordedNames({ calls: { write: 1, read: 1, openat: 0 }, refused })).toEqual(['mbind', 'read', 'write']);
});
