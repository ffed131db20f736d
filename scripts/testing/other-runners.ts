/** The tests that Vitest does not run: the native programs' and the example's. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NATIVE_DIR, ROOT } from '../setup/paths.js';
import { type Counts, countUnittest, ONE_FAILED, ONE_PASSED, ONE_SKIPPED, sum } from './counts.js';

const EXAMPLE = join(ROOT, 'examples/edf-normalize');

/** Every folder of native/ is one test. */
export function runNativeTests(): Counts {
  const folders = readdirSync(join(ROOT, 'native')).filter((name) =>
    existsSync(join(ROOT, 'native', name, 'Makefile')),
  );
  return sum(
    folders.map((folder) => {
      console.log(`\nnative/${folder}`);
      const made = spawnSync('make', ['--silent', '-C', join(ROOT, 'native', folder), `OUT=${NATIVE_DIR}`, 'test'], {
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      return made.status === 0 ? ONE_PASSED : ONE_FAILED;
    }),
  );
}

/** Skipped, and counted so, where this machine's Python has no numpy: in the container it has. */
export function runExampleTests(): Counts {
  console.log('\nexamples/edf-normalize');
  if (spawnSync('python3', ['-c', 'import numpy']).status !== 0) {
    console.log('skipped: python3 with numpy is not installed');
    return ONE_SKIPPED;
  }
  const run = spawnSync('python3', ['-B', '-m', 'unittest', 'discover', '-s', EXAMPLE], {
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  });
  process.stdout.write(run.stderr);
  return countUnittest(run.stderr);
}
