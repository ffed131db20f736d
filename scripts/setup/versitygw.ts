/** The S3 server of the tests, built from Go's module proxy: minutes of two cores, once for a checkout. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, openSync, closeSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './check.js';
import { acquireLock } from './lock.js';
import { CACHE_DIR } from './paths.js';

const VERSION = '1.8.0';
const MODULE = `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`;
/** What its go.mod asks for. */
const LEAST_GO = [1, 25] as const;
/** Where the Go of the system is older; itself a module of the proxy. */
const TOOLCHAIN = `golang.org/toolchain@v0.0.1-go1.25.0.linux-${process.arch === 'arm64' ? 'arm64' : 'amd64'}`;
const DIRECTORY = join(CACHE_DIR, `versitygw-${VERSION}`);
const PROGRAM = join(DIRECTORY, 'versitygw');
const LOG = `${DIRECTORY}.log`;

/**
 * Path of the program, which is built now where it is missing: two callers build it once. Throws SetupError. `onStart` gets the
 * build, to end it with.
 */
export async function versitygw(onStart: (build: ChildProcess) => void = () => undefined): Promise<string> {
  if (existsSync(PROGRAM)) return PROGRAM;
  mkdirSync(DIRECTORY, { recursive: true });
  const release = await acquireLock(`${DIRECTORY}.lock`, () => undefined);
  try {
    if (!existsSync(PROGRAM)) await build(onStart);
    return PROGRAM;
  } finally {
    await release();
  }
}

async function build(onStart: (build: ChildProcess) => void): Promise<void> {
  const log = openSync(LOG, 'w', 0o600);
  try {
    const child = spawn('nice', ['-n', '10', newEnoughGo(), 'install', '-trimpath', MODULE], {
      stdio: ['ignore', log, log],
      env: { ...process.env, CGO_ENABLED: '0', GOBIN: DIRECTORY, GOFLAGS: '', GOTOOLCHAIN: 'local', GOWORK: 'off' },
    });
    onStart(child);
    await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  } finally {
    closeSync(log);
  }
  if (existsSync(PROGRAM)) return;
  const end = readFileSync(LOG, 'utf8').trimEnd().split('\n').slice(-12).join('\n  ');
  throw new SetupError(`\`go install ${MODULE}\` failed; the end of ${LOG}:\n  ${end}`);
}

function newEnoughGo(): string {
  const [, major = 0, minor = 0] = /go(\d+)\.(\d+)/.exec(run('go', 'env', 'GOVERSION')) ?? [];
  if (Number(major) > LEAST_GO[0] || Number(minor) >= LEAST_GO[1]) return 'go';
  const { Dir: directory } = JSON.parse(run('go', 'mod', 'download', '-json', TOOLCHAIN)) as { Dir: string };
  // The files of a module are never executable.
  for (const place of ['bin', ...readdirSync(join(directory, 'pkg/tool')).map((name) => `pkg/tool/${name}`)]) {
    for (const name of readdirSync(join(directory, place))) chmodSync(join(directory, place, name), 0o755);
  }
  return join(directory, 'bin/go');
}

function run(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], cwd: CACHE_DIR });
  } catch (cause) {
    throw new SetupError(`\`${command} ${args.join(' ')}\` failed`, { cause });
  }
}
