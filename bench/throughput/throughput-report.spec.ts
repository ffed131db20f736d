import { describe, expect, it } from 'vitest';
import { renderThroughput, throughputExitCode, throughputResult, timeRatio } from './throughput-report.js';

const part = (jobs: number, ms: number) => ({ jobs, ms });
const runs = {
  porin: [part(100, 20_000), part(100, 30_000)],
  dockerRun: [part(100, 25_000), part(100, 15_000)],
  times: Array.from({ length: 101 }, (_job, index) => ({
    latencyMs: 1000 + index,
    phasesMs: { queue: 900 + index, create: 30 },
  })),
};

describe('throughputResult', () => {
  it('has exactly the keys that other programs read, over all parts', () => {
    expect(throughputResult(runs)).toEqual({
      porin: { jobsPerSecond: 4, latencyMs: { median: 1050, p95: 1095 } },
      dockerRun: { jobsPerSecond: 5 },
    });
  });
});

describe('throughputExitCode', () => {
  const at = (ms: number) => throughputResult({ ...runs, porin: [part(200, ms)] });

  it('is 0 up to 1.15 times the time of docker run, and 1 beyond', () => {
    expect(timeRatio(at(44_000))).toBeCloseTo(1.1, 12);
    expect(throughputExitCode(at(45_900), 200)).toBe(0);
    expect(throughputExitCode(at(46_100), 200)).toBe(1);
  });

  it('proves nothing with few jobs', () => {
    expect(throughputExitCode(at(1000), 198)).toBe(3);
  });
});

describe('renderThroughput', () => {
  it('says where the time of a job goes, and what was reached or not', () => {
    const text = renderThroughput(runs, throughputResult(runs));
    expect(text).toMatch(/^A job by Porin, median ms: queue 950, create 30\.0$/m);
    expect(text).toMatch(/NOT REACHED {2}Porin's time is 1\.25 times/);
  });
});
