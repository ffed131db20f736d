/** schemathesis, the property-based tester of OpenAPI documents, in a Python environment of its own below .porin. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const REQUIREMENTS = 'test/support/schemathesis.txt';
const CACHE = '.porin/cache';

export interface SchemathesisRun {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Installs it once for each state of the requirements; needs python3 with venv, and PyPI. Gives the program's path. */
export function installSchemathesis(): string {
  const digest = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16);
  const directory = join(process.cwd(), CACHE, `schemathesis-${digest}`);
  // An environment cannot be moved, so the mark is what appears last.
  const mark = join(directory, 'installed');
  const program = join(directory, 'bin/schemathesis');
  if (existsSync(mark)) return program;
  rmSync(directory, { recursive: true, force: true });
  run('python3', ['-m', 'venv', directory], 'apt-get install python3-venv makes python3 able to do that');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:'];
  run(
    join(directory, 'bin/python'),
    [...pip, '-r', REQUIREMENTS],
    'PyPI, or a mirror that pip knows, must be in reach',
  );
  run(program, ['--version'], 'the packages that were installed do not fit this Python');
  writeFileSync(mark, '');
  return program;
}

/** Within `directory`, which gets its example database and reports. */
export function runSchemathesis(
  program: string,
  parameters: readonly string[],
  directory: string,
): Promise<SchemathesisRun> {
  const child = spawn(program, parameters, {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: directory, NO_COLOR: '1', PYTHONHASHSEED: '0' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) =>
    child.on('error', reject).on('close', (exitCode) => resolve({ exitCode, output })),
  );
}

function run(command: string, parameters: readonly string[], hint: string): void {
  const { status, stderr, error } = spawnSync(command, parameters, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${parameters.join(' ')} failed: ${error?.message ?? stderr}\n${hint}`);
}
