/** `npm test [-- vitest arguments]`: starts private services, runs every test, stops them, and says how it went. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Stack, startStack } from '../services/stack.js';
import { stopStack } from '../services/stop-stack.js';
import { acquireLock } from '../setup/lock.js';
import { versitygw } from '../setup/versitygw.js';
import { PORIN_DIR } from '../setup/paths.js';
import { closingLine, type Counts, countVitest, failuresIn, NONE, ONE_FAILED, sum } from '../testing/counts.js';
import { runUnitTestsOnNewestNode } from '../testing/newest-node.js';
import { runExampleTests, runNativeTests } from '../testing/other-runners.js';

const log = (message: string) => console.log(`test: ${message}`);
const vitestArguments = process.argv.slice(2);
const interrupted = new AbortController();
let vitest: ChildProcess | undefined;
/** Of the S3 server: minutes, beside the first tests. */
let build: ChildProcess | undefined;
let failures: string[] = [];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted.abort(new Error(`interrupted by ${signal}`));
    vitest?.kill(signal);
  });
}

async function runVitest({ instance, postgresUrl, redisUrl, dockerHost }: Stack): Promise<Counts> {
  const report = join(instance.directory, 'vitest.json');
  rmSync(report, { force: true });
  const child = spawn(
    process.execPath,
    [
      ...['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'],
      ...[`--outputFile.json=${report}`, ...vitestArguments],
    ],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        PORIN_TEST_DATABASE_URL: postgresUrl,
        PORIN_TEST_REDIS_URL: redisUrl,
        DOCKER_HOST: dockerHost,
      },
    },
  );
  vitest = child;
  const exitCode = await new Promise((resolve) => child.on('exit', resolve));
  interrupted.signal.throwIfAborted();
  const results: unknown = JSON.parse(readFileSync(report, 'utf8'));
  failures = failuresIn(results);
  const counts = countVitest(results);
  return exitCode !== 0 && counts.failed === 0 ? sum([counts, ONE_FAILED]) : counts;
}

/** Two runs at once would stop each other's services. */
const release = await acquireLock(join(PORIN_DIR, 'test-run.lock'), () => log('waiting for another `npm test`'));
let counts = NONE;
try {
  // The tests that need it wait for it, and tell what goes wrong.
  if (vitestArguments.length === 0) void versitygw((child) => (build = child)).catch(() => undefined);
  const stack = await startStack({ instance: 'test', log, signal: interrupted.signal });
  counts = await runVitest(stack);
  // Arguments name a part of the tests, and these are never in it.
  if (vitestArguments.length === 0)
    counts = sum([counts, runUnitTestsOnNewestNode(), runNativeTests(), runExampleTests()]);
} catch (error) {
  console.error(`test: ${error instanceof Error ? error.message : String(error)}`);
  counts = sum([counts, ONE_FAILED]);
} finally {
  build?.kill();
  await stopStack('test', log);
  await release();
}
for (const failure of failures) console.log(failure);
console.log(closingLine(counts));
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
