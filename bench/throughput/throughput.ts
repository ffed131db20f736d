/** `npm run bench -- throughput`: what the whole way through Porin costs beside a plain `docker run`. */
import { availableParallelism } from 'node:os';
import Docker from 'dockerode';
import { buildTestImage } from '../../scripts/images/build-image.js';
import { learnUnknownContent } from '../../scripts/services/database.js';
import { startStack, type Stack } from '../../scripts/services/stack.js';
import { stopStack } from '../../scripts/services/stop-stack.js';
import { CACHE_DIR } from '../../scripts/setup/paths.js';
import { type BenchOptions } from '../bench-options.js';
import { DockerRunLoad, type Load } from './docker-run-load.js';
import { emptyDatabase } from '../machine/empty-database.js';
import { readEnvironment } from '../machine/environment.js';
import { Quiet } from '../machine/quiet.js';
import { createSubmitterKey } from '../machine/submitter-key.js';
import { PorinLoad } from './porin-load.js';
import { writeResult } from '../report/result-file.js';
import {
  ENOUGH_JOBS,
  type JobTimes,
  type Part,
  PARTS,
  renderThroughput,
  throughputExitCode,
  throughputResult,
  type ThroughputRuns,
} from './throughput-report.js';

const MIB = 1024 ** 2;
const WARM_UP_JOBS = 4;
/** For moments in which the machine does nothing else, over the whole bench. */
const PATIENCE_MS = 300_000;
/** Submitting is not what is measured, and must not be refused. */
const RATE_LIMIT_PER_MINUTE = 1_000_000;

/** Resolves to the exit code. */
export async function runThroughputBench(options: BenchOptions): Promise<number> {
  const { jobs, log, seed, stop } = options;
  const slots = availableParallelism();
  try {
    await emptyDatabase(await startStack({ instance: 'bench', log, signal: stop }));
    const stack = await startStack({
      instance: 'bench',
      withPrograms: true,
      variables: { PORIN_SLOTS: String(slots), PORIN_RATE_LIMIT_PER_MINUTE: String(RATE_LIMIT_PER_MINUTE) },
      log,
      signal: stop,
    });
    // Its image is of no application.
    if (stack.database) await learnUnknownContent(stack.database.ownerUrl);
    const docker = new Docker({ socketPath: stack.dockerHost.replace(/^unix:\/\//, '') });
    const environment = await readEnvironment(docker, seed);
    const { reference } = await buildTestImage({ docker, cacheDir: CACHE_DIR, log });
    const runs = await measure(stack, trueIn(reference), slots, options);
    const result = throughputResult(runs);
    const path = writeResult('throughput', { environment, nsPerCall: {}, ratios: {} }, { ...result });
    console.log(`
${jobs} jobs of /bin/true, ${slots} at once, on ${environment.cpuModel}, Linux ${environment.kernel}, ${environment.engine}.
In ${PARTS} parts, each by both, one after the other, in changing order. Latency is from queued to payload.

${renderThroughput(runs, result)}

Written to ${path}`);
    if (jobs < ENOUGH_JOBS) console.log(`This proves nothing: ${jobs} jobs are fewer than ${ENOUGH_JOBS}.`);
    return throughputExitCode(result, jobs);
  } finally {
    await stopStack('bench', log);
  }
}

/** In parts and by turns, so that a drift of the machine falls on both alike. */
async function measure(
  stack: Stack,
  load: Load,
  slots: number,
  { jobs, log, stop }: BenchOptions,
): Promise<ThroughputRuns> {
  const { apiUrl = '', database, dockerHost } = stack;
  if (!database) throw new Error('the stack has no database');
  const plain = new DockerRunLoad(dockerHost, load, stop);
  const porin = await PorinLoad.open({
    apiUrl,
    apiKey: createSubmitterKey(database.apiUrl),
    ownerDatabaseUrl: database.ownerUrl,
    load,
    stop,
  });
  try {
    log('warming up');
    await porin.run(WARM_UP_JOBS);
    await plain.run(WARM_UP_JOBS, slots);
    const done = { porin: [] as (Part & { times: readonly JobTimes[] })[], dockerRun: [] as Part[] };
    const turns = {
      porin: async () => void done.porin.push(await porin.run(jobs / PARTS)),
      dockerRun: async () => void done.dockerRun.push(await plain.run(jobs / PARTS, slots)),
    };
    const quiet = new Quiet(PATIENCE_MS);
    for (let part = 0; part < PARTS; part += 1) {
      const order = part % 2 === 0 ? (['porin', 'dockerRun'] as const) : (['dockerRun', 'porin'] as const);
      for (const turn of order) {
        await quiet.wait(stop);
        await turns[turn]();
      }
      const [ours, theirs] = [done.porin.at(-1), done.dockerRun.at(-1)].map((last) =>
        ((last?.ms ?? 0) / 1000).toFixed(1),
      );
      log(`part ${part + 1} of ${PARTS}: ${jobs / PARTS} jobs by Porin in ${ours} s, by docker run in ${theirs} s`);
    }
    return { ...done, times: done.porin.flatMap(({ times }) => times) };
  } finally {
    await porin.close();
  }
}

function trueIn(image: string): Load {
  return {
    image,
    command: ['/bin/true'],
    cpuMilli: 1000,
    memoryBytes: 256 * MIB,
    diskBytes: 64 * MIB,
    pids: 1024,
  };
}
