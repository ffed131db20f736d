/** `npm run bench -- profiles`: whether learned profiles let honest jobs be, on real applications and the public API. */
import Docker from 'dockerode';
import { buildEdfImage } from '../../scripts/images/build-image.js';
import { buildCorpusImage } from '../../scripts/images/corpus-image.js';
import { startStack } from '../../scripts/services/stack.js';
import { stopStack } from '../../scripts/services/stop-stack.js';
import { CACHE_DIR } from '../../scripts/setup/paths.js';
import { type BenchOptions } from '../bench-options.js';
import { exitCodeOf, renderChecks } from '../report/checks.js';
import { emptyDatabase } from '../machine/empty-database.js';
import { type Environment, readEnvironment } from '../machine/environment.js';
import { describeEnvironment, EXIT_PROVES_NOTHING } from '../report/remarks.js';
import { writeJson, writeRuns } from '../report/result-file.js';
import { readCorpus } from './cases/corpus.js';
import { makeCorpusInputs } from './cases/corpus-inputs.js';
import { PROFILE_LEVELS } from './report/counts.js';
import { type CorpusOutcome, type Images, measureCorpus } from './measure-corpus.js';
import { type Plan, planOf } from './cases/plan.js';
import { profileChecks } from './report/profiles-bars.js';
import { byName, profilesReport, unexpectedEnds } from './report/profiles-report.js';
import {
  renderChanges,
  renderDenials,
  renderOpen,
  renderProfiles,
  renderRepetitions,
} from './report/profiles-table.js';
import { UsageError } from '../../scripts/setup/option-values.js';

/** Jobs run by twos, as on a small node. */
const SLOTS = 2;
/** The others wait at the node, so that none of its slots is ever idle. */
const IN_FLIGHT = 2 * SLOTS;
const RATE_LIMIT_PER_MINUTE = 1_000_000;

/** Resolves to the exit code. Throws UsageError. */
export async function runProfilesBench(options: BenchOptions): Promise<number> {
  const { log, seed, stop } = options;
  const plans = plansOf(options);
  try {
    await emptyDatabase(await startStack({ instance: 'bench', log, signal: stop }));
    const stack = await startStack({
      instance: 'bench',
      withPrograms: true,
      variables: {
        PORIN_SLOTS: String(SLOTS),
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
    return conclude(
      await measureCorpus({ stack, images, inputs, atOnce: IN_FLIGHT }, plans, options),
      plans,
      environment,
      options,
    );
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

function conclude(
  outcome: CorpusOutcome,
  plans: readonly Plan[],
  environment: Environment,
  options: BenchOptions,
): number {
  const { profiles } = options;
  const report = profilesReport(outcome.measured);
  const checks = profileChecks(report, profiles);
  const { levels, heldOut, repetitions } = report;
  writeRuns('profiles', {
    ...outcome,
    measured: outcome.measured.map((each) => ({ ...each, unrestricted: Object.fromEntries(each.unrestricted) })),
  });
  const path = writeJson('profiles', {
    applications: byName(report, (row) => row.figures),
    environment,
    learnFrom: profiles.learnFrom,
    mode: profiles.mode,
    totals: { levels, heldOut, repetitions, checks },
    repetitions: byName(report, (row) => row.repetitions),
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
Learned from three cases${profiles.mode === 'stages' ? ', audited' : ''} and enforced on cases that the profile had not seen, on ${describeEnvironment(environment)}.
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
