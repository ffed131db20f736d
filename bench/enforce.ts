/** `npm run bench -- enforce`: what a system call and a whole program cost at every level. */
import { join } from 'node:path';
import { Recorder } from '#lib/execution';
import { aaHalfWidth, AA_HALF_WIDTH_MAXIMUM, DEFAULT_BOOTSTRAP, seededRandom } from '#lib/overhead';
import Docker from 'dockerode';
import { startStack } from '../scripts/services/stack.js';
import { stopStack } from '../scripts/services/stop-stack.js';
import { NATIVE_DIR } from '../scripts/setup/paths.js';
import { type BenchOptions } from './bench-options.js';
import { BenchRuns } from './bench-runs.js';
import { planBlocks } from './block-plan.js';
import { buildCallsProgram } from './calls-program.js';
import { raiseCpuPriority } from './cpu-priority.js';
import { prepareEdfPrograms } from './edf-program.js';
import { controlBlocks, enforceReport, exitCodeOf, PROGRAM } from './enforce-report.js';
import { renderEnforceReport } from './enforce-table.js';
import { type Environment, readEnvironment } from './environment.js';
import { learnFilters } from './learned-filters.js';
import { Measurement } from './measurement.js';
import { pooledRatio } from './pooled-ratio.js';
import { pinEverythingElse } from './pinning.js';
import { Quiet } from './quiet.js';
import { writeResult, writeRuns } from './result-file.js';
import { Tmpfs } from './tmpfs.js';

/** Fewer prove nothing. */
export const ENOUGH_BLOCKS = 100;
/** Where the control is too wide after them, more are measured: so many at once, so many times the blocks at most. */
const MORE_BLOCKS = 20;
const MOST_TIMES = 3;
const RECORDINGS_OF_CALLS = 3;
const EXIT_PROVES_NOTHING = 3;
/** For moments in which the machine does nothing else, over the whole bench. */
const PATIENCE_MS_PER_BLOCK = 20_000;

/** Resolves to the exit code. */
export async function runEnforceBench(options: BenchOptions): Promise<number> {
  const { log, stop, seed, blocks } = options;
  // An engine left over from a bench that was killed is pinned nowhere.
  await stopStack('bench', log);
  const cpus = pinEverythingElse();
  log(`seed ${seed}; payloads on CPU ${cpus.payload}, everything else on CPU ${cpus.rest.join(',')}`);
  const lowerPriority = raiseCpuPriority();
  if (!lowerPriority) log('the payloads have no priority over what else runs here');
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
    const quiet = new Quiet(PATIENCE_MS_PER_BLOCK * blocks);
    const measurement = new Measurement(runs, programs, quiet, stop);
    await measureUntilQuiet(measurement, options);
    log(`waited ${(quiet.waitedMs / 1000).toFixed(0)} s for moments in which the machine does nothing else`);
    return conclude(measurement, environment, edf.minutes);
  } finally {
    await recorder?.close();
    await stopStack('bench', log);
    memory?.unmount();
    lowerPriority?.();
  }
}

/** When to stop depends on the control's width alone, which says nothing about the other levels' ratios. */
async function measureUntilQuiet(measurement: Measurement, options: BenchOptions): Promise<void> {
  const { blocks, seed, log } = options;
  const most = blocks < ENOUGH_BLOCKS ? blocks : MOST_TIMES * blocks;
  const plan = planBlocks(most, seededRandom(seed));
  await measurement.run(plan.slice(0, blocks), 'block');
  for (let done = blocks; done < most && controlHalfWidth(measurement, seed) > AA_HALF_WIDTH_MAXIMUM;) {
    log(`the control's half-width is ${(100 * controlHalfWidth(measurement, seed)).toFixed(2)} %: measuring more`);
    await measurement.run(plan.slice(done, done + MORE_BLOCKS), 'further block');
    done += MORE_BLOCKS;
  }
}

function controlHalfWidth({ payloadRuns }: Measurement, seed: number): number {
  return aaHalfWidth(pooledRatio(controlBlocks(payloadRuns), { ...DEFAULT_BOOTSTRAP, seed }));
}

function conclude(measurement: Measurement, environment: Environment, minutes: number): number {
  const report = enforceReport(measurement.payloadRuns, measurement.callsRuns, environment.seed);
  const { ratios, nsPerCall } = report;
  const blocks = ratios.none?.pairs ?? 0;
  writeRuns('enforce', { payload: measurement.payloadRuns, calls: measurement.callsRuns });
  const path = writeResult('enforce', { environment, nsPerCall, ratios: { [PROGRAM]: ratios } });
  console.log(`
${blocks} blocks on ${environment.cpuModel}, ${environment.cores} cores, Linux ${environment.kernel}, ${environment.engine},
Speculation_Store_Bypass: ${environment.speculationStoreBypass}; seed ${environment.seed}; a recording of ${minutes} minutes.
Level none is (none, none): porin-init loads the ceiling as a deny filter, and the engine's default seccomp profile
applies. It runs twice a block; its ratio is the second run against the first. Every other level's run is paired with
both, which narrows the interval and, unlike their mean, moves no median. strace runs on another core than what it traces.

${renderEnforceReport(report)}

Calls outside the profile during measured runs: ${describeCounts(measurement.denials)}.
Written to ${path}`);
  if (blocks >= ENOUGH_BLOCKS) return exitCodeOf(report.checks);
  console.log(`This proves nothing: ${blocks} blocks are fewer than ${ENOUGH_BLOCKS}.`);
  return EXIT_PROVES_NOTHING;
}

function describeCounts(counts: ReadonlyMap<string, number>): string {
  return counts.size === 0 ? 'none' : [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}
