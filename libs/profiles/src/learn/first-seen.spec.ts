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
});

it('a recording names what was made and what was refused, each once', () => {
  const refused = { mbind: { EPERM: 1 }, read: { EPERM: 1 } };
  expect(recordedNames({ calls: { write: 1, read: 1, openat: 0 }, refused })).toEqual(['mbind', 'read', 'write']);
});
