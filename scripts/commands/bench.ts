/** `npm run bench -- <enforce|monitoring|profiles|queue|throughput>`: the tables of the benches, with their verdict as the exit code. */
import { BENCH_HELP, type BenchName, type BenchOptions, parseCommandLine } from '../../bench/bench-options.js';
import { runEnforceBench } from '../../bench/enforce/enforce.js';
import { runMonitoringBench } from '../../bench/monitoring/monitoring.js';
import { runProfilesBench } from '../../bench/profiles/profiles.js';
import { runQueueBench } from '../../bench/queue/queue.js';
import { runThroughputBench } from '../../bench/throughput/throughput.js';
import { acquireLock } from '../setup/lock.js';
import { PORIN_DIR } from '../setup/paths.js';
import { join } from 'node:path';
import { UsageError } from '../setup/option-values.js';

const EXIT_USAGE = 2;
const EXIT_FAILED = 4;
const BENCHES: Readonly<Record<BenchName, (options: BenchOptions) => Promise<number>>> = {
  enforce: runEnforceBench,
  monitoring: runMonitoringBench,
  profiles: runProfilesBench,
  queue: runQueueBench,
  throughput: runThroughputBench,
};
const log = (message: string) => console.error(`bench: ${message}`);
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));
}

async function run(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args);
  if (line.kind === 'help') {
    console.log(BENCH_HELP);
    return 0;
  }
  // Two at once would measure each other.
  const release = await acquireLock(join(PORIN_DIR, 'bench-run.lock'), () => log('waiting for another bench'));
  try {
    return await BENCHES[line.name]({ ...line.options, stop: interrupted.signal, log });
  } finally {
    await release();
  }
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof UsageError) console.error(BENCH_HELP);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
}
