/** From the parts of the throughput bench to rates, latencies, the comparison and the exit code. */
import { median, quantile } from '#lib/overhead';
import { digits, renderTable } from '../report/table.js';

/** Porin's time for all jobs may be at most this multiple of `docker run`'s. */
export const TIME_BAR = 1.15;
export const ENOUGH_JOBS = 200;
const EXIT_PROVES_NOTHING = 3;

/** The jobs are done in so many parts, each by both. */
export const PARTS = 4;

/** One part of the jobs, done by one of the two. */
export interface Part {
  readonly jobs: number;
  readonly ms: number;
}

/** Of one job by Porin. */
export interface JobTimes {
  /** From queued to payload. */
  readonly latencyMs: number;
  /** Phase -> milliseconds, as the executor run has them. */
  readonly phasesMs: Readonly<Record<string, number>>;
}

export interface ThroughputRuns {
  readonly porin: readonly Part[];
  readonly dockerRun: readonly Part[];
  readonly times: readonly JobTimes[];
}

export interface ThroughputResult {
  readonly porin: {
    readonly jobsPerSecond: number;
    readonly latencyMs: { readonly median: number; readonly p95: number };
  };
  readonly dockerRun: { readonly jobsPerSecond: number };
}

export function throughputResult({ porin, dockerRun, times }: ThroughputRuns): ThroughputResult {
  const latenciesMs = times.map(({ latencyMs }) => latencyMs);
  return {
    porin: {
      jobsPerSecond: rate(porin),
      latencyMs: { median: median(latenciesMs), p95: quantile(latenciesMs, 0.95) },
    },
    dockerRun: { jobsPerSecond: rate(dockerRun) },
  };
}

/** Porin's time over docker run's, for as many jobs. */
export function timeRatio({ porin, dockerRun }: ThroughputResult): number {
  return dockerRun.jobsPerSecond / porin.jobsPerSecond;
}

export function throughputExitCode(result: ThroughputResult, jobs: number): 0 | 1 | 3 {
  if (jobs < ENOUGH_JOBS) return EXIT_PROVES_NOTHING;
  return timeRatio(result) <= TIME_BAR ? 0 : 1;
}

export function renderThroughput(runs: ThroughputRuns, result: ThroughputResult): string {
  const row = (name: string, parts: readonly Part[], ...latency: number[]) => [
    name,
    digits(rate(parts)),
    digits(sum(parts.map(({ ms }) => ms)) / 1000),
    ...latency.map(digits),
  ];
  const { latencyMs } = result.porin;
  const header = ['', 'jobs/s', 's, all', 'latency ms, median', 'p95'];
  const ratio = timeRatio(result);
  return [
    renderTable(header, [
      row('porin', runs.porin, latencyMs.median, latencyMs.p95),
      row('docker run', runs.dockerRun, NaN, NaN),
    ]),
    '',
    `A job by Porin, median ms: ${describePhases(runs.times)}`,
    '',
    `${ratio <= TIME_BAR ? 'reached' : 'NOT REACHED'}  Porin's time is ${ratio.toFixed(2)} times docker run's, to reach ${TIME_BAR}`,
  ].join('\n');
}

function describePhases(times: readonly JobTimes[]): string {
  const names = [...new Set(times.flatMap(({ phasesMs }) => Object.keys(phasesMs)))];
  return names.map((name) => `${name} ${digits(median(times.map(({ phasesMs }) => phasesMs[name] ?? 0)))}`).join(', ');
}

function rate(parts: readonly Part[]): number {
  return (1000 * sum(parts.map(({ jobs }) => jobs))) / sum(parts.map(({ ms }) => ms));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
