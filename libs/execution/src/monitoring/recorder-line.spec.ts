import { describe, expect, it } from 'vitest';
import { RecorderError } from './recorder-error.js';
import { parseRecorderLine } from './recorder-line.js';

const FACTS =
  'others=0 started=1 empty=1 execs=2 foreign=3 map-failures=4 misses=5 supervisor=6 before-start=7 compat=8 x32=9 unknown=10 overflows=11 ring-failures=12 unresolved=13 tasks=14';

describe('parseRecorderLine', () => {
  it('reads every kind of line', () => {
    expect(parseRecorderLine('ready 3.0 syscalls files')).toEqual({
      kind: 'ready',
      version: '3.0',
      features: ['syscalls', 'files'],
    });
    expect(parseRecorderLine('armed 3f-a_9 others=2')).toEqual({ kind: 'armed', runId: '3f-a_9', others: 2 });
    expect(parseRecorderLine('disarmed a')).toEqual({ kind: 'disarmed', runId: 'a' });
    expect(parseRecorderLine('error root-cgroup the whole machine')).toEqual({
      kind: 'error',
      code: 'root-cgroup',
      message: 'the whole machine',
    });
  });

  it('reads facts and counts by number', () => {
    expect(parseRecorderLine(`finished a ${FACTS} calls=0:12,110:3000`)).toEqual({
      kind: 'finished',
      runId: 'a',
      facts: {
        others: 0,
        started: 1,
        empty: 1,
        execs: 2,
        foreign: 3,
        'map-failures': 4,
        misses: 5,
        supervisor: 6,
        'before-start': 7,
        compat: 8,
        x32: 9,
        unknown: 10,
        overflows: 11,
        'ring-failures': 12,
        unresolved: 13,
        tasks: 14,
        calls: new Map([
          [0, 12],
          [110, 3000],
        ]),
      },
    });
  });

  it('reads an empty list of calls', () => {
    const line = parseRecorderLine(`counts a ${FACTS} calls=`);
    expect(line.kind === 'counts' && line.facts.calls.size).toBe(0);
  });

  it.each([
    '',
    'ready',
    'ready 3 syscalls',
    'armed',
    'armed a',
    'armed a others=',
    'armed a others=-1',
    'armed a others=1 more=2',
    'armed a/b others=1',
    `armed ${'a'.repeat(65)} others=0`,
    'disarmed a b',
    'error',
    'error root-cgroup',
    'error no-such-code text',
    'finished a',
    `finished a ${FACTS}`,
    `finished a ${FACTS} calls=1`,
    `finished a ${FACTS} calls=1:2,`,
    `finished a ${FACTS} calls=1:2:3`,
    `finished a ${FACTS} calls=1:2,1:3`,
    `finished a ${FACTS} calls=1:0x2`,
    `finished a ${FACTS} calls=1:99999999999999999999`,
    `finished a ${FACTS} calls=1:2 more`,
    `finished a ${FACTS.replace('others=0 ', '')} calls=`,
    `finished a ${FACTS.replace('others=0 started=1', 'started=1 others=0')} calls=`,
    'something else',
  ])('refuses %j', (line) => {
    expect(() => parseRecorderLine(line)).toThrow(expect.objectContaining({ code: 'protocol' }));
    expect(() => parseRecorderLine(line)).toThrow(RecorderError);
  });
});
