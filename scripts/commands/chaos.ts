/** `npm run chaos`: breaks every part of a grid while jobs run on it, with the count of what went wrong as the exit code. */
import { join } from 'node:path';
import { runChaos } from '../chaos/chaos.js';
import { CHAOS_HELP, parseCommandLine } from '../chaos/options.js';
import { acquireLock } from '../setup/lock.js';
import { PORIN_DIR } from '../setup/paths.js';
import { UsageError } from '../setup/option-values.js';

const EXIT_USAGE = 2;
const EXIT_FAILED = 4;
const log = (message: string) => console.error(`chaos: ${message}`);
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!interrupted.signal.aborted) log(`${signal}: ending the faults and removing the grid`);
    interrupted.abort(new Error(`interrupted by ${signal}`));
  });
}

async function run(args: readonly string[]): Promise<number> {
  const line = parseCommandLine(args);
  if (line.kind === 'help') {
    console.log(CHAOS_HELP);
    return 0;
  }
  // Two at once would remove each other's grid.
  const release = await acquireLock(join(PORIN_DIR, 'chaos-run.lock'), () => log('waiting for another one'));
  try {
    return await runChaos({ ...line, stop: interrupted.signal, log });
  } finally {
    await release();
  }
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  console.error(`chaos: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof UsageError) console.error(CHAOS_HELP);
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
}
