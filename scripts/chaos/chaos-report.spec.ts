import { describe, expect, it } from 'vitest';
import { type ChaosRun, chaosExitCode, chaosResult, renderChaos } from './chaos-report.js';

const fault = { kind: 'Redis wiped', part: 'redis', atMs: 0, lastsMs: 1_000 };
const run: ChaosRun = {
  seed: 7,
  jobs: 1_000,
  struck: Array.from({ length: 30 }, () => fault),
  found: [],
  verdict: { lost: [], publishedTwice: [], stuck: [], systemErrors: [] },
  hands: [],
  seconds: 60,
};
const code = (changes: Partial<ChaosRun>) => chaosExitCode(chaosResult({ ...run, ...changes }));

describe('the result of chaos', () => {
  it('has exactly the keys that other programs read', () => {
    const none = { lost: 0, publishedTwice: 0, stuck: 0, systemErrors: 0, needHand: 0 };
    expect(chaosResult(run)).toEqual({ jobs: 1_000, faults: 30, ...none });
  });

  it('is well only where nothing was found, and proves something only after enough', () => {
    const finding = { key: 'chaos-1 (true)', what: 'it is QUEUED' };
    expect(code({})).toBe(0);
    for (const name of ['lost', 'publishedTwice', 'stuck', 'systemErrors'] as const) {
      expect(code({ verdict: { ...run.verdict, [name]: [finding] } })).toBe(1);
    }
    expect(code({ hands: ['no dispatcher leads'] })).toBe(1);
    expect(code({ jobs: 999 })).toBe(3);
    expect(code({ struck: [fault] })).toBe(3);
  });

  it('says what was found, and how often each fault struck', () => {
    const text = renderChaos({ ...run, hands: ['no dispatcher leads'] });
    expect(text).toMatch(/^need a hand +1 {2}/m);
    expect(text).toContain('faults: 30 Redis wiped');
    expect(text).toContain('the grid: no dispatcher leads');
  });
});
