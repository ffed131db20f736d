/**
 * `npm run chaos`: 1. starts a grid of its own; 2. submits jobs to it while one part after another breaks; 3. ends every fault, and
 * waits until all jobs have ended and the grid is well; 4. counts; 5. removes everything.
 */
import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChaosRun, chaosExitCode, chaosResult, renderChaos, writeChaos } from './chaos-report.js';
import { planFaults } from './fault-plan.js';
import { faultsNamed } from './faults/all-faults.js';
import { findJobs, progress, whatIsUnwell } from './grid-state.js';
import { Grid } from './grid.js';
import { SMALL_NODE_MEMORY_BYTES } from './machines.js';
import { INPUT, planJobs } from './job-plan.js';
import { type ChaosOptions } from './options.js';
import { OutputWatch } from './output-watch.js';
import { Strikes } from './strikes.js';
import { Submitter } from './submitter.js';
import { judge } from './verdict.js';

const MINUTE_MS = 60_000;
const MIB = 1024 ** 2;
/** Of the time after the start: while faults strike. The rest is for what they have left undone. */
const STRIKING = 0.65;
/** For counting and removing. */
const RESERVE_MS = 60_000;
/** Within which a grid that nothing breaks is up, or well again, milliseconds. */
const WELL_WITHIN_MS = 180_000;
const LOOK_MS = 2_000;
const TELL_MS = 15_000;

export interface ChaosTerms extends ChaosOptions {
  readonly stop: AbortSignal;
  readonly log: (message: string) => void;
}

/** Resolves to the exit code. */
export async function runChaos(terms: ChaosTerms): Promise<number> {
  const { seed, minutes, stop, log } = terms;
  const startedAt = performance.now();
  const elapsedMs = () => performance.now() - startedAt;
  log(`seed ${seed}; ends within ${minutes} min`);
  return Grid.use({ log, stop }, async (grid) => {
    const unwell = await becomesWell(grid, WELL_WITHIN_MS, stop);
    if (unwell.length > 0) throw new Error(`the grid does not come up: ${unwell.join('; ')}`);
    log(`the grid is up after ${Math.round(elapsedMs() / 1000)} s`);
    const run = await strikeAndCount(grid, terms, elapsedMs);
    const result = chaosResult(run);
    console.log(`\n${renderChaos(run)}\n\nWritten to ${writeChaos(result)}`);
    return chaosExitCode(result);
  });
}

async function strikeAndCount(grid: Grid, terms: ChaosTerms, elapsedMs: () => number): Promise<ChaosRun> {
  const { jobs, faults, only, seed, minutes, stop, log } = terms;
  writeFileSync(join(grid.inputs, INPUT.name), INPUT.text, { mode: 0o644 });
  const endsAtMs = minutes * MINUTE_MS - RESERVE_MS;
  const strikingMs = (endsAtMs - elapsedMs()) * STRIKING;
  const planned = planJobs(jobs, strikingMs, seed, {
    ...{ image: grid.image, inputs: grid.inputs, outputs: grid.outputs },
    largeBytes: SMALL_NODE_MEMORY_BYTES + 512 * MIB,
  });
  const watch = new OutputWatch(grid.outputs);
  const over = new AbortController();
  const ends = AbortSignal.any([stop, over.signal]);
  // Every job and every fault waits on one of them.
  for (const signal of [stop, ends]) setMaxListeners(0, signal);
  const submitter = new Submitter({ apiUrls: grid.apiUrls, apiKey: grid.apiKey, stop: ends });
  const strikes = new Strikes(grid, (message) => log(`${clock(elapsedMs())} ${message}`), stop);
  const telling = tell(grid, { strikes, submitter, jobs, elapsedMs, log, stop: ends });
  try {
    const submitting = submitter.run(planned);
    await strikes.run(planFaults(faultsNamed(only), faults, strikingMs, seed));
    stop.throwIfAborted();
    log(`${clock(elapsedMs())} all faults have ended`);
    const untilMs = endsAtMs - elapsedMs();
    const hands = await Promise.all([becomesWell(grid, untilMs, stop), allEnded(grid, submitter, jobs, untilMs, stop)]);
    over.abort();
    await submitting;
    const found = await findJobs(grid);
    const evidence = { planned, submissions: submitter.submissions, found, files: watch.published() };
    const verdict = judge({ ...evidence, appearances: watch.appearances });
    return { seed, jobs, struck: strikes.struck, found, verdict, hands: hands[0], seconds: elapsedMs() / 1000 };
  } finally {
    over.abort();
    watch.close();
    await telling;
  }
}

/** Resolves to what is still unwell then, in words; empty as soon as nothing is. */
async function becomesWell(grid: Grid, withinMs: number, stop: AbortSignal): Promise<readonly string[]> {
  for (const deadline = performance.now() + withinMs; ; await sleep(LOOK_MS, undefined, { signal: stop })) {
    const unwell = await whatIsUnwell(grid).catch((error: unknown) => [`Postgres: ${String(error)}`]);
    if (unwell.length === 0 || performance.now() > deadline) return unwell;
  }
}

async function allEnded(
  grid: Grid,
  { submissions }: Submitter,
  jobs: number,
  withinMs: number,
  stop: AbortSignal,
): Promise<void> {
  for (const deadline = performance.now() + withinMs; ; await sleep(LOOK_MS, undefined, { signal: stop })) {
    const { open } = await progress(grid);
    if ((open === 0 && submissions.length === jobs) || performance.now() > deadline) return;
  }
}

interface Telling {
  readonly strikes: Strikes;
  readonly submitter: Submitter;
  readonly jobs: number;
  readonly elapsedMs: () => number;
  readonly log: (message: string) => void;
  readonly stop: AbortSignal;
}

async function tell(grid: Grid, { strikes, submitter, jobs, elapsedMs, log, stop }: Telling): Promise<void> {
  while (!stop.aborted) {
    await sleep(TELL_MS, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
    const { ended, open } = await progress(grid).catch(() => ({ ended: '?', open: '?' }));
    const broken = strikes.active.length === 0 ? '' : `; broken: ${strikes.active.join(', ')}`;
    log(
      `${clock(elapsedMs())} ${submitter.submissions.length} of ${jobs} jobs submitted, ${ended} ended, ${open} open${broken}`,
    );
  }
}

function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
