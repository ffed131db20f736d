/** `npm run bench -- enforce`: what a system call and a whole program cost at every level. */
import { allowedNames } from '#lib/profiles';
import { type BenchOptions } from '../bench-options.js';
import { onBenchMachine, type PreparedMachine } from '../machine/bench-machine.js';
import { placesOf } from '../runs/bench-runs.js';
import { type Schedule } from '../measure/block-plan.js';
import { exitCodeOf } from '../report/checks.js';
import { prepareEdfPrograms } from '../programs/edf-program.js';
import { ENFORCE_CALLS, enforceReport } from './enforce-report.js';
import { renderEnforceReport } from './enforce-table.js';
import { type Environment } from '../machine/environment.js';
import { learnProfile } from '../runs/learning.js';
import { Measurement } from '../measure/measurement.js';
import { buildNativePrograms } from '../programs/native-programs.js';
import { policiesOf } from '../runs/policies.js';
import { CALLS_PROGRAM, EDF_PROGRAM } from '../programs/program-names.js';
import { Quiet } from '../machine/quiet.js';
import { describeEnvironment, describeRemarks, EXIT_PROVES_NOTHING } from '../report/remarks.js';
import { writeResult, writeRuns } from '../report/result-file.js';
import { measureUntilQuiet } from '../measure/until-quiet.js';

/** Fewer prove nothing. */
export const ENOUGH_BLOCKS = 100;
const RECORDINGS_OF_CALLS = 3;
/** For moments in which the machine does nothing else, over the whole bench. */
const PATIENCE_MS_PER_BLOCK = 20_000;
/** strace takes many times longer than everything else in a block, and shows itself in few runs. */
const STRACE_EVERY = 5;
const SCHEDULE: Schedule = {
  [EDF_PROGRAM]: { enforce: 1, audit: 1, syscalls: 1, strace: STRACE_EVERY },
  [CALLS_PROGRAM]: {
    enforce: STRACE_EVERY,
    audit: STRACE_EVERY,
    syscalls: STRACE_EVERY,
    strace: STRACE_EVERY,
  },
};

/** Resolves to the exit code. */
export async function runEnforceBench(options: BenchOptions): Promise<number> {
  return onBenchMachine(options, (machine) => measure(machine, options));
}

async function measure(machine: PreparedMachine, options: BenchOptions): Promise<number> {
  const { docker, runs, directory, environment } = machine;
  const { log, stop, blocks = ENOUGH_BLOCKS } = options;
  const calls = (await buildNativePrograms(docker)).calls(ENFORCE_CALLS);
  const edf = await prepareEdfPrograms({ docker, runs, directory, log });
  const profiles = {
    calls: await learnProfile(runs, Array(RECORDINGS_OF_CALLS).fill(calls), 'names'),
    edf: await learnProfile(runs, [edf.measured, ...edf.others], 'names'),
  };
  for (const [name, { profile }] of Object.entries(profiles)) {
    log(`profile of ${name} learned: ${allowedNames(profile).length} calls`);
  }
  const programs = [
    { program: calls, policies: policiesOf(profiles.calls, placesOf(calls)) },
    { program: edf.measured, policies: policiesOf(profiles.edf, placesOf(edf.measured)) },
  ];
  const quiet = new Quiet(PATIENCE_MS_PER_BLOCK * blocks);
  const measurement = new Measurement(runs, programs, quiet, stop);
  const series = { measurement, schedule: SCHEDULE, furtherSchedule: SCHEDULE, program: EDF_PROGRAM };
  await measureUntilQuiet({ ...series, enoughBlocks: ENOUGH_BLOCKS }, { ...options, blocks });
  log(`waited ${(quiet.waitedMs / 1000).toFixed(0)} s for moments in which the machine does nothing else`);
  return conclude(measurement, environment, edf.minutes);
}

function conclude(measurement: Measurement, environment: Environment, minutes: number): number {
  const report = enforceReport(measurement.runs, environment.seed);
  const { ratios, nsPerCall } = report;
  const blocks = ratios.none?.pairs ?? 0;
  writeRuns('enforce', { runs: measurement.runs });
  const path = writeResult('enforce', { environment, nsPerCall, ratios: { [EDF_PROGRAM]: ratios } });
  console.log(`
${blocks} blocks on ${describeEnvironment(environment)}; a recording of ${minutes} minutes.
Level none is (none, none): porin-init loads the ceiling as a deny filter, and the engine's default seccomp profile
applies. It runs twice a block; its ratio is the second run against the first. Every other level's run is paired with
both, which narrows the interval and, unlike their mean, moves no median. strace runs on another core than what it traces.

${renderEnforceReport(report)}

${describeRemarks(measurement)}
Written to ${path}`);
  if (blocks >= ENOUGH_BLOCKS) return exitCodeOf(report.checks);
  console.log(`This proves nothing: ${blocks} blocks are fewer than ${ENOUGH_BLOCKS}.`);
  return EXIT_PROVES_NOTHING;
}
