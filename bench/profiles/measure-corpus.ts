/** All applications of the corpus through the bench, on a stack that runs. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { ApiClient } from '../../scripts/demo/api-client.js';
import { type BuiltImage } from '../../scripts/images/engine.js';
import { askCli, cliVariables } from '../../scripts/services/cli.js';
import { type Stack } from '../../scripts/services/stack.js';
import { type BenchOptions } from '../bench-options.js';
import { inParallel } from '../measure/in-parallel.js';
import { Progress } from '../measure/progress.js';
import { type CorpusApplication } from './cases/corpus.js';
import { CorpusJobs } from './cases/corpus-jobs.js';
import { Learner } from './learn/learner.js';
import { ApplicationMeasurement, type MeasuredApplication } from './measure-application.js';
import { jobsOf, type Plan } from './cases/plan.js';
import { changedCases } from './report/profiles-report.js';

/** One waits for its proposals while the other one has jobs. */
const APPLICATIONS_AT_ONCE = 2;

export type Images = Readonly<Record<CorpusApplication['image'], BuiltImage>>;

export interface CorpusPlace {
  readonly stack: Stack;
  readonly images: Images;
  /** Host directory. */
  readonly inputs: string;
  /** Jobs in flight. */
  readonly atOnce: number;
}

export interface CorpusOutcome {
  readonly measured: readonly MeasuredApplication[];
  readonly remarks: readonly string[];
  readonly failures: readonly string[];
}

/** Throws what a client of the API throws, unless failures are to be noted and passed over. */
export async function measureCorpus(
  { stack, images, inputs, atOnce }: CorpusPlace,
  plans: readonly Plan[],
  { profiles, log, stop: interrupted }: BenchOptions,
): Promise<CorpusOutcome> {
  const failed = new AbortController();
  const stop = AbortSignal.any([interrupted, failed.signal]);
  // Everything that waits looks at it.
  setMaxListeners(0, stop);
  const client = (role: string) => {
    const key = askCli(
      ['key', 'create', '--role', role, '--name', 'bench', '--days', '1'],
      cliVariables(stack.instance) ?? {},
    );
    return new ApiClient(stack.apiUrl ?? '', key, stop);
  };
  const [admin, submitter] = [client('admin'), client('submitter')];
  const remarks: string[] = [];
  const failures: string[] = [];
  const ended = progressOf(plans.reduce((total, plan) => total + jobsOf(plan), 0));
  const outputs = join(stack.dataDirectories.outputs, 'corpus');
  const jobs = new CorpusJobs({ admin, submitter, inputs, outputs, atOnce, stop, ended });
  const learner = new Learner(admin, jobs, stop, (text) => {
    remarks.push(text);
    log(text);
  });
  const giveUp = (what: string, error: unknown) => {
    if (!profiles.keepGoing || interrupted.aborted) throw error;
    failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    log(`given up: ${failures.at(-1)}`);
  };
  const measured: MeasuredApplication[] = [];
  try {
    await inParallel(plans.length, APPLICATIONS_AT_ONCE, async (index) => {
      const plan = plans[index] as Plan;
      const { name, image } = plan.application;
      try {
        const measurement = new ApplicationMeasurement(plan, images[image].reference, jobs, learner, giveUp);
        const one = await measurement.measure();
        await measurement.confirm(one, changedCases(one));
        measured.push(one);
        log(`${name} is done`);
      } catch (error) {
        giveUp(name, error);
      }
    });
  } catch (error) {
    // Every wait that an interruption ends has an error of its own.
    const cause: unknown = interrupted.aborted ? interrupted.reason : error;
    failed.abort(cause);
    throw cause;
  }
  const order = plans.map(({ application }) => application.name);
  return { measured: measured.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name)), remarks, failures };
}

/** Jobs of unequal length are in any order, so the mean of all tells what is left. */
function progressOf(total: number): () => void {
  const progress = new Progress('job', total);
  const startedAt = performance.now();
  let done = 0;
  return () => {
    done += 1;
    // Runs that taught nothing and runs that confirm are not planned.
    if (done > total) return;
    const mean = (performance.now() - startedAt) / done;
    progress.report(done, mean * (total - done));
  };
}
