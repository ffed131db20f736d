/** `npm run check`: format, lint, types, import boundaries, generated files, unit tests. Needs no root and no service. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const FOLDERS = ['apps', 'libs', 'migrations', 'scripts', 'bench'].filter((folder) => existsSync(folder));

const STEPS: readonly (readonly [name: string, ...command: string[]])[] = [
  ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
  ['lint', 'eslint', '.'],
  ['types', 'tsc', '--noEmit'],
  ['import boundaries', 'depcruise', ...FOLDERS, '--output-type', 'err'],
  ['unit tests', 'vitest', 'run', '--project', 'unit'],
];

const failed: string[] = STEPS.filter(([name, command, ...args]) => {
  console.log(`check: ${name}`);
  const result = spawnSync(`node_modules/.bin/${command}`, args, { stdio: 'inherit' });
  return result.status !== 0;
}).map(([name]) => name);

console.log('check: generated files');
const generated = spawnSync(process.execPath, ['.porin/dist/scripts/commands/generate.js', '--check'], {
  stdio: 'inherit',
});
if (generated.status !== 0) failed.push('generated files');

console.log(failed.length === 0 ? 'check: all passed' : `check: failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
