/**
 * Every `npm run` command starts here: brings the checkout to a runnable state, then runs scripts/commands/<command>.
 * Plain JavaScript on node: modules only, because it runs before any package is installed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const STATE = join(ROOT, '.porin');
const SOURCES = ['apps', 'libs', 'migrations', 'scripts', 'bench'].filter((folder) => existsSync(join(ROOT, folder)));
const MINIMUM_NODE = [20, 19];
/** Seconds that a second command waits for the first one's set-up. */
const LOCK_TIMEOUT_S = 1800;

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(`porin: ${message}`);
  process.exit(1);
}

/** @param {string} command @param {string[]} args */
function run(command, args) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) fail(`${command} ${args.join(' ')} failed (${result.signal ?? result.status})`);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [needMajor = 0, needMinor = 0] = MINIMUM_NODE;
  if (major < needMajor || (major === needMajor && minor < needMinor)) {
    fail(`Node ${MINIMUM_NODE.join('.')} or newer is needed, this is ${process.versions.node}`);
  }
}

/** Installs the packages of package-lock.json when they differ from what is installed. */
function installPackages() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  const stamp = join(ROOT, 'node_modules', '.porin-lock-sha256');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('porin: installing npm packages');
  // Not `npm ci`: it refuses a lock file made where a registry lacks other platforms' optional binaries. `--no-save`
  // takes the locked versions and leaves the lock file alone. Install scripts are neither needed nor trusted.
  run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, wanted);
}

/** @returns {string} a digest over the names and contents of all that is compiled */
function sourcesDigest() {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, '.swcrc')));
  for (const folder of SOURCES) {
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }).sort((a, b) =>
      join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1,
    )) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const path = join(entry.parentPath, entry.name);
      hash.update(`${path}\0`).update(readFileSync(path));
    }
  }
  return hash.digest('hex');
}

/** Compiles the TypeScript to .porin/dist when a source changed. */
function compile() {
  const wanted = sourcesDigest();
  const dist = join(STATE, 'dist');
  const stamp = join(dist, '.sources-sha256');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  rmSync(dist, { recursive: true, force: true });
  run(process.execPath, [
    join(ROOT, 'node_modules/@swc/cli/bin/swc.js'),
    ...SOURCES,
    '--out-dir',
    dist,
    '--quiet',
    '--ignore',
    '**/*spec.ts',
  ]);
  writeFileSync(stamp, wanted);
}

function setUp() {
  checkNode();
  installPackages();
  compile();
}

/** Holds one lock around the set-up: two commands at once would install into each other's way. */
function setUpUnderLock() {
  mkdirSync(STATE, { recursive: true, mode: 0o700 });
  const lock = join(STATE, 'lock');
  const self = fileURLToPath(import.meta.url);
  const args = ['--timeout', String(LOCK_TIMEOUT_S), lock, process.execPath, self, '--set-up'];
  const result = spawnSync('flock', args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.error) fail('the command "flock" (Debian package util-linux) is needed');
  if (result.status !== 0) fail('set-up did not finish');
}

const [command, ...rest] = process.argv.slice(2);
const commands = readdirSync(join(ROOT, 'scripts/commands'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('spec.ts'))
  .map((name) => name.replace(/\.ts$/, ''));

if (command === '--set-up') {
  setUp();
} else if (command === undefined || !commands.includes(command)) {
  fail(`usage: npm run <${commands.join('|')}>`);
} else {
  setUpUnderLock();
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', join(STATE, 'dist/scripts/commands', `${command}.js`), ...rest],
    {
      cwd: ROOT,
      stdio: 'inherit',
    },
  );
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}
