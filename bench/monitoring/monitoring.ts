/** `npm run bench -- monitoring`: what every kind of enforcement and monitoring costs a call, and four different programs. */
import { DEFAULT_BOOTSTRAP } from '#lib/overhead';
import { type BenchOptions } from '../bench-options.js';
import { onBenchMachine, type PreparedMachine } from '../machine/bench-machine.js';
import { exitCodeOf } from '../report/checks.js';
import { type Environment } from '../machine/environment.js';
import { learnAll } from './learned-programs.js';
import { type PerLevel } from '../measure/measured-runs.js';
import { Measurement } from '../measure/measurement.js';
import { prepareMonitoringPrograms } from './monitoring-programs.js';
import { monitoringReport } from './monitoring-report.js';
import { ENOUGH_BLOCKS, furtherSchedule, monitoringSchedule } from './monitoring-schedule.js';
import { renderMonitoringReport, type Unavailable } from './monitoring-table.js';
import { probeLevels } from './probe-levels.js';
import { EDF_PROGRAM } from '../programs/program-names.js';
import { Quiet } from '../machine/quiet.js';
import { describeEnvironment, describeRemarks, EXIT_PROVES_NOTHING } from '../report/remarks.js';
import { writeResult, writeRuns } from '../report/result-file.js';
import { measureUntilQuiet } from '../measure/until-quiet.js';

/** For moments in which the machine does nothing else, over the whole bench. */
const PATIENCE_MS_PER_BLOCK = 15_000;

/** Resolves to the exit code. */
export async function runMonitoringBench(options: BenchOptions): Promise<number> {
  return onBenchMachine(options, (machine) => measure(machine, options));
}

async function measure(machine: PreparedMachine, options: BenchOptions): Promise<number> {
  const { runs, environment } = machine;
  const { log, stop, programs, levels, blocks = ENOUGH_BLOCKS } = options;
  const learned = await learnAll(runs, await prepareMonitoringPrograms(machine, programs, log), log);
  const unavailable = await probeLevels(runs, learned, levels, stop);
  for (const [level, why] of Object.entries(unavailable)) log(`${level} is not available: ${why}`);
  const chosen = { programs, levels: levels.filter((level) => unavailable[level] === undefined) };
  const quiet = new Quiet(PATIENCE_MS_PER_BLOCK * blocks);
  const measurement = new Measurement(runs, learned, quiet, stop);
  await measureUntilQuiet(
    {
      measurement,
      schedule: monitoringSchedule(chosen),
      furtherSchedule: furtherSchedule(chosen),
      program: EDF_PROGRAM,
      enoughBlocks: ENOUGH_BLOCKS,
    },
    { ...options, blocks },
  );
  log(`waited ${(quiet.waitedMs / 1000).toFixed(0)} s for moments in which the machine does nothing else`);
  return conclude(measurement, environment, blocks, unavailable);
}

function conclude(
  measurement: Measurement,
  environment: Environment,
  blocks: number,
  unavailable: Unavailable,
): number {
  const report = monitoringReport(measurement.runs, { ...DEFAULT_BOOTSTRAP, seed: environment.seed });
  const { ratios, refusedNs, checks } = report;
  const refused = Object.entries(refusedNs).map(
    ([call, { median }]) => [`refused ${call}`, { enforce: median }] as const,
  );
  const nsPerCall = { ...report.nsPerCall, ...Object.fromEntries<PerLevel<number>>(refused) };
  writeRuns('monitoring', { runs: measurement.runs, unavailable, checks });
  const path = writeResult('monitoring', { environment, nsPerCall, ratios });
  console.log(`
${blocks} blocks on ${describeEnvironment(environment)}.
The first columns are nanoseconds per call, the others wall times of whole programs as ratios to none, with their 95 %
intervals. Level none is (none, none), as in the enforce bench: its ratio is the second run of a block against the first,
and every other level's run is paired with both. Not all are in every block: the wider an interval may be, the fewer.
strace, bpftrace and the recorder run on another core than what they watch; the supervisor runs on the same.

${renderMonitoringReport(report, unavailable)}

${describeRemarks(measurement)}
Written to ${path}`);
  if (blocks >= ENOUGH_BLOCKS) return exitCodeOf(checks);
  console.log(`This proves nothing: ${blocks} blocks are fewer than ${ENOUGH_BLOCKS}.`);
  return EXIT_PROVES_NOTHING;
}
