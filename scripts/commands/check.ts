/**
 * `npm run check [-- --no-unit-tests]`: format, lint, types, import boundaries, generated files, unit tests. Needs no root and no
 * service.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const NO_UNIT_TESTS = '--no-unit-tests';
const UNIT_TESTS = 'unit tests';
const options = process.argv.slice(2);
if (options.some((option) => option !== NO_UNIT_TESTS)) {
  console.error(`usage: npm run check [-- ${NO_UNIT_TESTS}]`);
  process.exit(2);
}

const FOLDERS = ['apps', 'libs', 'migrations', 'scripts', 'bench'].filter((folder) => existsSync(folder));

const STEPS: readonly (readonly [name: string, ...command: string[]])[] = [
  ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
  ['lint', 'eslint', '.'],
  ['types', 'tsc', '--noEmit'],
  ['import boundaries', 'depcruise', ...FOLDERS, '--output-type', 'err'],
  [UNIT_TESTS, 'vitest', 'run', '--project', 'unit'],
];

const steps = STEPS.filter(([name]) => name !== UNIT_TESTS || !options.includes(NO_UNIT_TESTS));
const failed: string[] = steps
  .filter(([name, command, ...args]) => {
    console.log(`check: ${name}`);
    const result = spawnSync(`node_modules/.bin/${command}`, args, { stdio: 'inherit' });
    return result.status !== 0;
  })
  .map(([name]) => name);

console.log('check: generated files');
const generated = spawnSync(process.execPath, ['.porin/dist/scripts/commands/generate.js', '--check'], {
  stdio: 'inherit',
});
if (generated.status !== 0) failed.push('generated files');

console.log(failed.length === 0 ? 'check: all passed' : `check: failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
