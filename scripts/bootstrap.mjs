/**
 * Every `npm run` command starts here: brings the checkout to a runnable state, then runs scripts/commands/<command>.
 * Plain JavaScript on node: modules only, because it runs before any package is installed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SELF = fileURLToPath(import.meta.url);
const ROOT = join(dirname(SELF), '..');
const STATE = join(ROOT, '.porin');
const DIST = join(STATE, 'dist');
const SOURCES = ['apps', 'libs', 'migrations', 'scripts', 'bench'].filter((folder) => existsSync(join(ROOT, folder)));
const MINIMUM_NODE = [20, 19];
/** Commands for which npm packages and compiled TypeScript suffice: they need no root and install nothing. */
const LIGHT_COMMANDS = ['check', 'clean', 'generate', 'porin-admin', 'status', 'stop'];
/** Seconds that a second command waits for the first one's set-up. */
const LOCK_TIMEOUT_S = 1800;
const LOCK_TAKEN = 75;

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(`porin: ${message}`);
  process.exit(1);
}

/** Runs a step of the set-up. @param {string} command @param {string[]} args */
function run(command, args) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.error) fail(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/**
 * Runs a child that gets this process's signals.
 * @param {string} command @param {string[]} args @returns {Promise<number>} its exit code
 */
function supervise(command, args) {
  const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit' });
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  const forward = (/** @type {NodeJS.Signals} */ signal) => void child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve) => {
    child.on('error', (error) => fail(`${command} could not be started: ${error.message}`));
    child.on('exit', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
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
  console.error('porin-admin: installing npm packages');
  rmSync(stamp, { force: true });
  // Not `npm ci`: it refuses a lock file made where a registry lacks other platforms' optional binaries. `--no-save`
  // takes the locked versions and leaves the lock file alone. Install scripts are neither needed nor trusted.
  run('npm', [
    ...['install', '--no-save', '--include=dev', '--ignore-scripts'],
    ...['--no-audit', '--no-fund', '--loglevel=error'],
  ]);
  writeFileSync(stamp, wanted);
}

/** @returns {string} a digest over the names and contents of all that is compiled */
function sourcesDigest() {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, '.swcrc')));
  for (const folder of SOURCES) {
    const paths = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
    for (const path of paths.filter((name) => name.endsWith('.ts')).sort()) {
      hash.update(`${folder}/${path}\0`).update(readFileSync(join(ROOT, folder, path)));
    }
  }
  return hash.digest('hex');
}

/** Compiles the TypeScript to .porin/dist when a source changed. */
function compile() {
  const wanted = sourcesDigest();
  const stamp = '.sources-sha256';
  if (existsSync(join(DIST, stamp)) && readFileSync(join(DIST, stamp), 'utf8') === wanted) return;
  console.error('porin-admin: compiling');
  // A whole new tree takes the old one's place, so that no output outlives its source.
  const fresh = `${DIST}.new`;
  rmSync(fresh, { recursive: true, force: true });
  run(process.execPath, [
    join(ROOT, 'node_modules/@swc/cli/bin/swc.js'),
    ...SOURCES,
    ...['--out-dir', fresh, '--quiet', '--ignore', '**/*spec.ts,**/*.mjs'],
  ]);
  writeFileSync(join(fresh, stamp), wanted);
  rmSync(DIST, { recursive: true, force: true });
  renameSync(fresh, DIST);
}

/** @param {string} command */
function setUp(command) {
  checkNode();
  installPackages();
  compile();
  if (!LIGHT_COMMANDS.includes(command)) run(process.execPath, [join(DIST, 'scripts/setup/main.js'), command]);
}

/** Holds one lock around the set-up: two commands at once would install into each other's way. @param {string} command */
async function setUpUnderLock(command) {
  mkdirSync(STATE, { recursive: true, mode: 0o700 });
  // Without a fork, signals reach the set-up, and what it started holds the lock until it has ended too.
  const locked = (/** @type {string[]} */ ...options) =>
    supervise('flock', [
      ...['--no-fork', '--conflict-exit-code', String(LOCK_TAKEN), ...options, join(STATE, 'lock')],
      ...[process.execPath, SELF, '--set-up', command],
    ]);
  let status = await locked('--nonblock');
  if (status === LOCK_TAKEN) {
    console.error('porin-admin: another command is setting up this checkout; waiting for it');
    status = await locked('--timeout', String(LOCK_TIMEOUT_S));
    if (status === LOCK_TAKEN) fail(`the other command did not finish its set-up within ${LOCK_TIMEOUT_S} s`);
  }
  if (status !== 0) process.exit(status);
}

const [command = '', ...rest] = process.argv.slice(2);
const commands = readdirSync(join(ROOT, 'scripts/commands'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('spec.ts'))
  .map((name) => name.replace(/\.ts$/, ''));

if (command === '--set-up') {
  setUp(rest[0] ?? '');
} else if (!commands.includes(command)) {
  fail(`usage: npm run <${commands.join('|')}>`);
} else {
  await setUpUnderLock(command);
  const file = join(DIST, 'scripts/commands', `${command}.js`);
  process.exit(await supervise(process.execPath, ['--enable-source-maps', file, ...rest]));
}
