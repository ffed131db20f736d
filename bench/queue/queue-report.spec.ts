import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../report/checks.js';
import { queueChecks, type QueueFigures, queueResult, renderQueue } from './queue-report.js';

const run = (p99: number) => ({ perSecond: 499.5, latenciesMs: [...Array<number>(98).fill(3), p99, p99] });
const FIGURES: QueueFigures = {
  submit: { openLoops: [run(90), run(10), run(19)], sequentialMs: [2.2, 2, 9] },
  tes: { openLoops: [run(18), run(11), run(90)], sequentialMs: [2.1, 2.3, 2.2] },
  fsyncMs: [0.7, 0.8, 5],
  getPerSecond: 1600,
  drain: new Map([
    [0, 5],
    [1_000_000, 4.6],
  ]),
  idle: new Map([
    [0, { porinMs: 400, dockerRunMs: 350 }],
    [1_000_000, { porinMs: 402, dockerRunMs: 350 }],
  ]),
  residentBytes: { api: 150e6, dispatcher: 100e6, worker: 130e6, supervisor: 5e6 },
};

describe('queueResult', () => {
  it('has the keys that other programs read, of the run whose 99th percentile is the median', () => {
    expect(queueResult(FIGURES)).toEqual({
      submit: { openLoopPerSecond: 499.5, p50Ms: 3, p99Ms: 19, sequentialMs: 2.2, fsyncMs: 0.8 },
      tes: { openLoopPerSecond: 499.5, p50Ms: 3, p99Ms: 18, sequentialMs: 2.2 },
      get: { perSecond: 1600 },
      drain: { 0: 5, 1000000: 4.6 },
      idle: { porinMs: 400, dockerRunMs: 350, queued: Object.fromEntries(FIGURES.idle) },
      residentBytes: FIGURES.residentBytes,
    });
  });
});

describe('queueChecks', () => {
  it('are all within their bars, or say what is not', () => {
    expect(exitCodeOf(queueChecks(queueResult(FIGURES)))).toBe(0);
    const slow = queueResult({
      ...FIGURES,
      submit: { ...FIGURES.submit, openLoops: [run(90), run(10), run(21)] },
      tes: { ...FIGURES.tes, sequentialMs: [2.4] },
      drain: new Map([...FIGURES.drain, [10, 4.4]]),
    });
    const checks = queueChecks(slow);
    expect(checks.filter(({ verdict }) => verdict === 'over-bar').map(({ what }) => what)).toEqual([
      'their 99th percentile: 21.0 ms, to stay below 20',
      'one after another: 2.40 ms, to stay below 1.5 and one fsync of 0.800',
      'jobs a second with 10 queued: 4.40, to reach 0.9 of 5.00',
    ]);
    expect(exitCodeOf(checks)).toBe(1);
  });
});

describe('renderQueue', () => {
  it('shows every run, every length of the queue and every program', () => {
    const text = renderQueue(queueResult(FIGURES), FIGURES);
    expect(text).toMatch(/^run 1 +500 +3\.00 +90\.0 +90\.0$/m);
    expect(text).toMatch(/^TES, run 2 +500 +3\.00 +11\.0 +11\.0$/m);
    expect(text).toMatch(/^1000000 +4\.60$/m);
    expect(text).toMatch(/^worker +130$/m);
  });
});
