/** apt-get without starting any service, waiting for another package manager, and with its output in a file. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './check.js';
import { PORIN_DIR } from './paths.js';

const LOCK_TIMEOUT_S = 120;
const OPTIONS = ['-o', `DPkg::Lock::Timeout=${LOCK_TIMEOUT_S}`, '-o', 'Acquire::Retries=3'];
const LOG_FILE = join(PORIN_DIR, 'apt.log');

const POLICY = '/usr/sbin/policy-rc.d';
const POLICY_TEXT = '#!/bin/sh\n# Put here by Porin while it installs packages.\nexit 101\n';

/** Throws SetupError with the end of apt's output. The lists are fetched only where those there do not suffice. */
export function aptInstall(packages: readonly string[]): void {
  const install = () => apt('install', '-y', '--no-install-recommends', ...packages);
  withoutStartingServices(() => {
    if (install() || (updateLists() && install())) return;
    const end = readFileSync(LOG_FILE, 'utf8').trimEnd().split('\n').slice(-12).join('\n  ');
    throw new SetupError(`apt-get failed; the end of ${LOG_FILE}:\n  ${end}`);
  });
}

function apt(...args: string[]): boolean {
  const log = openSync(LOG_FILE, 'a', 0o600);
  try {
    return (
      spawnSync('apt-get', [...OPTIONS, ...args], {
        stdio: ['ignore', log, log],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
      }).status === 0
    );
  } finally {
    closeSync(log);
  }
}

/** apt's lock time-out does not hold for the lists, so this waits itself. */
function updateLists(): boolean {
  for (let waitedS = 0; ; waitedS += 5) {
    if (apt('update')) return true;
    const lockTaken = readFileSync(LOG_FILE, 'utf8').slice(-2000).includes('/var/lib/apt/lists/lock');
    if (!lockTaken || waitedS >= LOCK_TIMEOUT_S) return false;
    spawnSync('sleep', ['5']);
  }
}

/** Debian starts a service when its package is installed, unless policy-rc.d answers 101 (Debian policy, 9.3.3). */
function withoutStartingServices(install: () => void): void {
  if (existsSync(POLICY) && readFileSync(POLICY, 'utf8') !== POLICY_TEXT) return install();
  // A signal must not end this process between the two: nothing on the machine would start services any more.
  const ignore = () => undefined;
  process.on('SIGINT', ignore).on('SIGTERM', ignore).on('SIGHUP', ignore);
  try {
    writeFileSync(POLICY, POLICY_TEXT, { mode: 0o755 });
    install();
  } finally {
    rmSync(POLICY, { force: true });
    process.off('SIGINT', ignore).off('SIGTERM', ignore).off('SIGHUP', ignore);
  }
}
