/** `npm run bench -- profiles`: whether learned profiles let honest jobs be, on real applications and the public API. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import Docker from 'dockerode';
import { ApiClient } from '../../scripts/demo/api-client.js';
import { buildEdfImage } from '../../scripts/images/build-image.js';
import { buildCorpusImage } from '../../scripts/images/corpus-image.js';
import { type BuiltImage } from '../../scripts/images/engine.js';
import { askCli, cliVariables } from '../../scripts/services/cli.js';
import { type Stack, startStack } from '../../scripts/services/stack.js';
import { stopStack } from '../../scripts/services/stop-stack.js';
import { CACHE_DIR } from '../../scripts/setup/paths.js';
import { type BenchOptions, UsageError } from '../bench-options.js';
import { exitCodeOf, renderChecks } from '../checks.js';
import { emptyDatabase } from '../empty-database.js';
import { type Environment, readEnvironment } from '../environment.js';
import { inParallel } from '../in-parallel.js';
import { Progress } from '../progress.js';
import { describeEnvironment, EXIT_PROVES_NOTHING } from '../remarks.js';
import { writeJson, writeRuns } from '../result-file.js';
import { type CorpusApplication, readCorpus } from './corpus.js';
import { makeCorpusInputs } from './corpus-inputs.js';
import { CorpusJobs } from './corpus-jobs.js';
import { PROFILE_LEVELS } from './counts.js';
import { Learner } from './learner.js';
import { ApplicationMeasurement, jobsOf, type MeasuredApplication, type Plan, planOf } from './measure-application.js';
import { profileChecks } from './profiles-bars.js';
import { changedCases, figuresByName, profilesReport, unexpectedEnds } from './profiles-report.js';
import { renderChanges, renderDenials, renderOpen, renderProfiles, renderRepetitions } from './profiles-table.js';

/** Jobs run by twos, as on a small node; others wait at the node, so that none of its slots is ever idle. */
const SLOTS = 2;
const IN_FLIGHT = 2 * SLOTS;
/** One waits for its proposals while the other one has jobs. */
const APPLICATIONS_AT_ONCE = 2;
const RATE_LIMIT_PER_MINUTE = 1_000_000;
type Images = Readonly<Record<CorpusApplication['image'], BuiltImage>>;

interface Outcome {
  readonly measured: readonly MeasuredApplication[];
  readonly remarks: readonly string[];
  readonly failures: readonly string[];
}

/** Resolves to the exit code. Throws UsageError. */
export async function runProfilesBench(options: BenchOptions): Promise<number> {
  const { log, seed, stop } = options;
  const plans = plansOf(options);
  try {
    await emptyDatabase(await startStack({ instance: 'bench', log, signal: stop }));
    const stack = await startStack({
      instance: 'bench',
      with: { api: true, worker: true },
      variables: {
        PORIN_SLOTS: String(SLOTS),
        // Some cases ask for two processors to run as many threads; they shall run beside another job all the same.
        PORIN_CPU_MILLI: String(2000 * SLOTS),
        PORIN_RATE_LIMIT_PER_MINUTE: String(RATE_LIMIT_PER_MINUTE),
      },
      log,
      signal: stop,
    });
    const docker = new Docker({ socketPath: stack.dockerHost.replace(/^unix:\/\//, '') });
    const environment = await readEnvironment(docker, seed);
    const images = await buildImages(docker, log);
    const inputs = await makeCorpusInputs({
      docker,
      imageIds: { bio: images.bio.imageId, java: images.java.imageId, edf: images.edf.imageId },
      parent: stack.dataDirectories.inputs,
      log,
    });
    return conclude(await measure({ stack, images, inputs }, plans, options), plans, environment, options);
  } finally {
    await stopStack('bench', log);
  }
}

function plansOf({ profiles }: BenchOptions): readonly Plan[] {
  const corpus = readCorpus();
  const { applications = corpus.map(({ name }) => name) } = profiles;
  const unknown = applications.find((name) => !corpus.some((known) => known.name === name));
  if (unknown !== undefined) {
    throw new UsageError(`--applications: there is no "${unknown}", only ${corpus.map(({ name }) => name).join(', ')}`);
  }
  return corpus.filter(({ name }) => applications.includes(name)).map((application) => planOf(application, profiles));
}

async function buildImages(docker: Docker, log: BenchOptions['log']): Promise<Images> {
  const options = { docker, cacheDir: CACHE_DIR, log };
  return {
    bio: await buildCorpusImage('bio', options),
    java: await buildCorpusImage('java', options),
    edf: await buildEdfImage(options),
  };
}

async function measure(
  { stack, images, inputs }: { stack: Stack; images: Images; inputs: string },
  plans: readonly Plan[],
  { profiles, log, stop: interrupted }: BenchOptions,
): Promise<Outcome> {
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
  const jobs = new CorpusJobs({ admin, submitter, inputs, outputs, atOnce: IN_FLIGHT, stop, ended });
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

function conclude(outcome: Outcome, plans: readonly Plan[], environment: Environment, options: BenchOptions): number {
  const { profiles } = options;
  const report = profilesReport(outcome.measured);
  const checks = profileChecks(report, profiles.levels);
  const { levels, heldOut, repetitions } = report;
  const repeated = report.rows.flatMap(({ application, level, repetitions: counts }) =>
    counts ? [[application, { level, ...counts }] as const] : [],
  );
  writeRuns('profiles', {
    ...outcome,
    measured: outcome.measured.map((each) => ({ ...each, unrestricted: Object.fromEntries(each.unrestricted) })),
  });
  const path = writeJson('profiles', {
    applications: figuresByName(report),
    environment,
    learnFrom: profiles.learnFrom,
    totals: { levels, heldOut, repetitions, checks },
    repetitions: Object.fromEntries(repeated),
  });
  const learned = plans.map(
    ({ application, learned: cases }) => `${application.name} ${cases.map(({ id }) => id).join(' ')}`,
  );
  const notes = [
    ...outcome.failures.map((failure) => `given up: ${failure}`),
    ...unexpectedEnds(outcome.measured),
    ...outcome.remarks,
  ];
  console.log(`
Learned from three cases and enforced on cases that the profile had not seen, on ${describeEnvironment(environment)}.
Learned from: ${learned.join(', ')}.

${renderProfiles(report)}

${[renderOpen(report), renderRepetitions(report), renderDenials(report), renderChanges(report)].filter((part) => part !== '').join('\n\n')}

${renderChecks(checks)}

${notes.map((note) => `Note: ${note}\n`).join('')}Written to ${path}`);
  const isWhole =
    plans.length === readCorpus().length &&
    profiles.levels.length === PROFILE_LEVELS.length &&
    profiles.cases === undefined;
  if (isWhole && outcome.failures.length === 0) return exitCodeOf(checks);
  console.log('This proves nothing: not all applications, levels and cases were measured.');
  return EXIT_PROVES_NOTHING;
}
