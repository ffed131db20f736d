/** `npm test [-- vitest arguments]`: sets the machine up, starts private services, runs every test, stops them. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { openInstance } from '../services/instance.js';
import { startServices, stopServices } from '../services/stack.js';
import { buildNativePrograms } from '../setup/native-programs.js';
import { installSystemPackages } from '../setup/system-packages.js';

const log = (message: string) => console.log(`test: ${message}`);
const resultSchema = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numTodoTests: z.int(),
  numFailedTestSuites: z.int(),
});

async function runVitest(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}

const instance = openInstance('test');
const resultFile = join(instance.directory, 'result.json');
rmSync(resultFile, { force: true });
let exitCode = 1;
try {
  installSystemPackages(log);
  buildNativePrograms(log);
  const services = await startServices(instance, log);
  exitCode = await runVitest(
    ['--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`, ...process.argv.slice(2)],
    {
      PORIN_TEST_DATABASE_URL: services.postgres.url,
      PORIN_TEST_REDIS_URL: services.redis.url,
      DOCKER_HOST: services.docker.url,
    },
  );
  const result = resultSchema.parse(JSON.parse(readFileSync(resultFile, 'utf8')));
  const skipped = result.numPendingTests + result.numTodoTests;
  if (result.numPassedTests + result.numFailedTests === 0 || result.numFailedTestSuites > 0) exitCode ||= 1;
  console.log(`${result.numPassedTests} passed, ${result.numFailedTests} failed, ${skipped} skipped`);
} catch (error) {
  console.error(`test: ${error instanceof Error ? error.message : String(error)}`);
} finally {
  // The closing line above stays the last one on standard output.
  await stopServices(instance, (message) => console.error(`test: ${message}`));
}
process.exitCode = exitCode;
