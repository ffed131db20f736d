/** From what the queue bench measured to its bars, its table and its file. */
import { median, quantile } from '#lib/overhead';
import { type Check } from '../report/checks.js';
import { digits, renderTable } from '../report/table.js';

export const QUEUE_LENGTHS = [0, 10_000, 110_000, 1_000_000] as const;
export const ENOUGH_SECONDS = 60;
export const SUBMISSIONS_PER_SECOND = 500;
export const SUBMISSIONS = 100_000;

const P99_BAR_MS = 20;
/** Beside the time of one fsync. */
const SEQUENTIAL_BAR_MS = 1.5;
const GET_BAR_PER_SECOND = 1_500;
/** Of the rate with an empty queue. */
const DRAIN_BAR = 0.9;
/** Of the time of `docker run`. */
const IDLE_BAR = 1.15;
const RESIDENT_BAR_BYTES = 400e6;
/** Of the rate that was asked for: the rest is the end of the last requests. */
const RATE_BAR = 0.99;

export interface OpenLoopRun {
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
}

export interface IdleTimes {
  readonly porinMs: number;
  readonly dockerRunMs: number;
}

/** Of one way to submit. */
export interface SubmissionTimes {
  /** At the rate that is to be held. */
  readonly openLoops: readonly OpenLoopRun[];
  /** Of each, one after another. */
  readonly sequentialMs: readonly number[];
}

export interface QueueFigures {
  /** By Porin's own API. */
  readonly submit: SubmissionTimes;
  /** By GA4GH TES. */
  readonly tes: SubmissionTimes;
  readonly fsyncMs: readonly number[];
  readonly getPerSecond: number;
  /** Queued -> jobs per second. */
  readonly drain: ReadonlyMap<number, number>;
  /** Queued -> medians; for an empty queue, and the longest one. */
  readonly idle: ReadonlyMap<number, IdleTimes>;
  /** Program -> bytes. */
  readonly residentBytes: Readonly<Record<string, number>>;
}

export interface SubmissionResult {
  readonly openLoopPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly sequentialMs: number;
}

export interface QueueResult {
  readonly submit: SubmissionResult & { readonly fsyncMs: number };
  readonly tes: SubmissionResult;
  readonly get: { readonly perSecond: number };
  readonly drain: Readonly<Record<string, number>>;
  /** With an empty queue; `queued` has the same by its length. */
  readonly idle: IdleTimes & { readonly queued: Readonly<Record<string, IdleTimes>> };
  readonly residentBytes: Readonly<Record<string, number>>;
}

const NO_TIMES: IdleTimes = { porinMs: NaN, dockerRunMs: NaN };

export function queueResult(figures: QueueFigures): QueueResult {
  return {
    submit: { ...submissionResult(figures.submit), fsyncMs: median(figures.fsyncMs) },
    tes: submissionResult(figures.tes),
    get: { perSecond: figures.getPerSecond },
    drain: Object.fromEntries(figures.drain),
    idle: { ...(figures.idle.get(0) ?? NO_TIMES), queued: Object.fromEntries(figures.idle) },
    residentBytes: figures.residentBytes,
  };
}

/** Of the runs at the given rate, the one whose 99th percentile is the median. */
function submissionResult({ openLoops, sequentialMs }: SubmissionTimes): SubmissionResult {
  const runs = openLoops
    .map(({ perSecond, latenciesMs }) => ({ perSecond, p50: median(latenciesMs), p99: quantile(latenciesMs, 0.99) }))
    .sort((a, b) => a.p99 - b.p99);
  const middle = runs[Math.floor(runs.length / 2)];
  return {
    openLoopPerSecond: middle?.perSecond ?? NaN,
    p50Ms: middle?.p50 ?? NaN,
    p99Ms: middle?.p99 ?? NaN,
    sequentialMs: median(sequentialMs),
  };
}

export function queueChecks({ submit, tes, get, drain, idle, residentBytes }: QueueResult): readonly Check[] {
  const rates = Object.entries(drain).map(([queued, perSecond]) => ({ queued: Number(queued), perSecond }));
  const empty = rates.find(({ queued }) => queued === 0)?.perSecond ?? NaN;
  const total = sum(Object.values(residentBytes));
  return [
    ...submissionChecks('submissions', submit, submit.fsyncMs),
    ...submissionChecks('tasks of TES', tes, submit.fsyncMs),
    check(
      `reads a second: ${digits(get.perSecond)}, to reach ${GET_BAR_PER_SECOND}`,
      get.perSecond,
      GET_BAR_PER_SECOND,
      'at least',
    ),
    ...rates
      .filter(({ queued }) => queued > 0)
      .map(({ queued, perSecond }) =>
        check(
          `jobs a second with ${queued} queued: ${digits(perSecond)}, to reach ${DRAIN_BAR} of ${digits(empty)}`,
          perSecond / empty,
          DRAIN_BAR,
          'at least',
        ),
      ),
    ...Object.entries(idle.queued).map(([queued, { porinMs, dockerRunMs }]) =>
      check(
        `one job with ${queued} queued: ${digits(porinMs)} ms, to stay within ${IDLE_BAR} of docker run's ${digits(dockerRunMs)}`,
        porinMs / dockerRunMs,
        IDLE_BAR,
        'at most',
      ),
    ),
    check(
      `resident memory: ${digits(total / 1e6)} MB, to stay below ${RESIDENT_BAR_BYTES / 1e6}`,
      total,
      RESIDENT_BAR_BYTES,
      'at most',
    ),
  ];
}

function submissionChecks(what: string, result: SubmissionResult, fsyncMs: number): readonly Check[] {
  const { openLoopPerSecond, p99Ms, sequentialMs } = result;
  return [
    check(
      `${what} a second: ${digits(openLoopPerSecond)}, to reach ${SUBMISSIONS_PER_SECOND}`,
      openLoopPerSecond / SUBMISSIONS_PER_SECOND,
      RATE_BAR,
      'at least',
    ),
    check(`their 99th percentile: ${digits(p99Ms)} ms, to stay below ${P99_BAR_MS}`, p99Ms, P99_BAR_MS, 'at most'),
    check(
      `one after another: ${digits(sequentialMs)} ms, to stay below ${SEQUENTIAL_BAR_MS} and one fsync of ${digits(fsyncMs)}`,
      sequentialMs - fsyncMs,
      SEQUENTIAL_BAR_MS,
      'at most',
    ),
  ];
}

export function renderQueue({ drain, residentBytes }: QueueResult, { submit, tes }: QueueFigures): string {
  const rows = (what: string, { openLoops }: SubmissionTimes) =>
    openLoops.map(({ perSecond, latenciesMs }, index) => [
      `${what} ${index + 1}`,
      ...[perSecond, median(latenciesMs), quantile(latenciesMs, 0.99), Math.max(...latenciesMs)].map(digits),
    ]);
  return [
    renderTable(
      ['submissions', '1/s', 'p50 ms', 'p99 ms', 'longest ms'],
      [...rows('run', submit), ...rows('TES, run', tes)],
    ),
    renderTable(
      ['queued', 'jobs/s'],
      Object.entries(drain).map(([queued, rate]) => [queued, digits(rate)]),
    ),
    renderTable(
      ['program', 'resident MB'],
      Object.entries(residentBytes).map(([name, bytes]) => [name, digits(bytes / 1e6)]),
    ),
  ].join('\n\n');
}

function check(what: string, value: number, bar: number, side: 'at least' | 'at most'): Check {
  if (Number.isNaN(value)) return { what, verdict: 'not-measured' };
  return { what, verdict: (side === 'at least' ? value >= bar : value <= bar) ? 'within-bar' : 'over-bar' };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
