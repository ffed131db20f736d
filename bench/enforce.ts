/** `npm run bench -- enforce`: what a system call and a whole program cost at every level. */
import { join } from 'node:path';
import { Recorder } from '#lib/execution';
import { seededRandom } from '#lib/overhead';
import Docker from 'dockerode';
import { startStack } from '../scripts/services/stack.js';
import { stopStack } from '../scripts/services/stop-stack.js';
import { NATIVE_DIR } from '../scripts/setup/paths.js';
import { type BenchOptions } from './bench-options.js';
import { BenchRuns } from './bench-runs.js';
import { planBlocks } from './block-plan.js';
import { buildCallsProgram } from './calls-program.js';
import { prepareEdfPrograms } from './edf-program.js';
import { enforceReport, exitCodeOf, PROGRAM } from './enforce-report.js';
import { renderEnforceReport } from './enforce-table.js';
import { type Environment, readEnvironment } from './environment.js';
import { learnFilters } from './learned-filters.js';
import { Measurement } from './measurement.js';
import { pinEverythingElse } from './pinning.js';
import { writeResult } from './result-file.js';
import { Tmpfs } from './tmpfs.js';

/** Fewer prove nothing. */
export const ENOUGH_BLOCKS = 100;
const RECORDINGS_OF_CALLS = 3;
const EXIT_PROVES_NOTHING = 3;

/** Resolves to the exit code. */
export async function runEnforceBench(options: BenchOptions): Promise<number> {
  const { log, stop, seed, blocks } = options;
  // An engine left over from a bench that was killed is pinned nowhere.
  await stopStack('bench', log);
  const cpus = pinEverythingElse();
  log(`seed ${seed}; payloads on CPU ${cpus.payload}, everything else on CPU ${cpus.rest.join(',')}`);
  let memory: Tmpfs | undefined;
  let recorder: Recorder | undefined;
  try {
    const { instance, dockerHost } = await startStack({ instance: 'bench', log, signal: stop });
    await stopStack('bench', log, ['postgres', 'redis']);
    const docker = new Docker({ socketPath: dockerHost.replace(/^unix:\/\//, '') });
    const environment = await readEnvironment(docker, seed);
    memory = Tmpfs.mount(instance);
    recorder = await Recorder.start({ binaryPath: join(NATIVE_DIR, 'porin-recorder') });
    const runs = new BenchRuns({
      docker,
      recorder,
      initPath: join(NATIVE_DIR, 'porin-init'),
      runDirectory: join(instance.runDirectory, 'b'),
      directory: memory.path,
      cpuset: String(cpus.payload),
      stop,
    });
    const calls = await buildCallsProgram(docker);
    const edf = await prepareEdfPrograms({ docker, runs, directory: memory.path, log });
    const programs = {
      calls: { ...(await learnFilters(runs, Array(RECORDINGS_OF_CALLS).fill(calls))), program: calls },
      edf: { ...(await learnFilters(runs, [edf.measured, ...edf.others])), program: edf.measured },
    };
    log(`profiles learned: ${PROGRAM} ${programs.edf.names.length} calls, calls ${programs.calls.names.length} calls`);
    const measurement = new Measurement(runs, programs);
    await measurement.run(planBlocks(blocks, seededRandom(seed)), stop);
    return conclude(measurement, environment, blocks, edf.minutes);
  } finally {
    await recorder?.close();
    await stopStack('bench', log);
    memory?.unmount();
  }
}

function conclude(measurement: Measurement, environment: Environment, blocks: number, minutes: number): number {
  const report = enforceReport(measurement.payloadRuns, measurement.callsRuns, environment.seed);
  const enough = blocks >= ENOUGH_BLOCKS;
  const { ratios, nsPerCall } = report;
  const path = writeResult('enforce', { environment, nsPerCall, ratios: { [PROGRAM]: ratios } });
  console.log(`
${blocks} blocks on ${environment.cpuModel}, ${environment.cores} cores, Linux ${environment.kernel}, ${environment.engine},
Speculation_Store_Bypass: ${environment.speculationStoreBypass}; seed ${environment.seed}; a recording of ${minutes} minutes.
Level none is (none, none): porin-init loads the ceiling as a deny filter, and the engine's default seccomp profile
applies. It runs twice a block; its ratio is the second run against the first. The other levels' ratios are paired
with the block's first none. strace runs on another core than what it traces.

${renderEnforceReport(report)}

Calls outside the profile during measured runs: ${describeCounts(measurement.denials)}.
Written to ${path}`);
  if (enough) return exitCodeOf(report.checks);
  console.log(`This proves nothing: ${blocks} blocks are fewer than ${ENOUGH_BLOCKS}.`);
  return EXIT_PROVES_NOTHING;
}

function describeCounts(counts: ReadonlyMap<string, number>): string {
  return counts.size === 0 ? 'none' : [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}
