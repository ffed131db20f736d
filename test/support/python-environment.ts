/** Python environments of the tests' own below .porin, each made of one file of pinned requirements. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_DIR } from '../../scripts/setup/paths.js';

export interface PythonRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Requirements {
  /** Without its ending: `test/support/<name>.txt`, which names every package that is installed. */
  readonly name: string;
  /** Tried when all of them are installed: a program of theirs, and its parameters. */
  readonly proof: readonly [program: string, ...parameters: string[]];
  /** Where a package has no wheel in the registry, its own code runs while it is installed. */
  readonly onlyWheels: boolean;
}

/** Installs it once for each state of the requirements; needs python3 with venv, and PyPI. Gives the folder. */
export function installPython({ name, proof: [program, ...parameters], onlyWheels }: Requirements): string {
  const requirements = `test/support/${name}.txt`;
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const directory = join(CACHE_DIR, `${name}-${digest}`);
  // An environment cannot be moved, so the mark is what appears last.
  const mark = join(directory, 'installed');
  if (existsSync(mark)) return directory;
  rmSync(directory, { recursive: true, force: true });
  run('python3', ['-m', 'venv', directory], 'apt-get install python3-venv makes python3 able to do that');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps'];
  run(
    join(directory, 'bin/python'),
    [...pip, ...(onlyWheels ? ['--only-binary', ':all:'] : []), '-r', requirements],
    'PyPI, or a mirror that pip knows, must be in reach',
  );
  run(join(directory, 'bin', program), parameters, 'the packages that were installed do not fit this Python');
  writeFileSync(mark, '');
  return directory;
}

/** A program of an environment, within `directory`, which is its home and gets what it leaves. */
export function runPython(
  program: string,
  parameters: readonly string[],
  { directory, variables = {} }: { directory: string; variables?: Readonly<Record<string, string>> },
): Promise<PythonRun> {
  const child = spawn(program, parameters, {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: directory, NO_COLOR: '1', PYTHONHASHSEED: '0', ...variables },
  });
  const texts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => (texts[stream] += text));
  return new Promise((resolve, reject) =>
    child.on('error', reject).on('close', (exitCode) => resolve({ exitCode, ...texts })),
  );
}

function run(command: string, parameters: readonly string[], hint: string): void {
  const { status, stderr, error } = spawnSync(command, parameters, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${parameters.join(' ')} failed: ${error?.message ?? stderr}\n${hint}`);
}
