/** Private clusters of the Postgres that Debian installs: it has a pg_dump of its own version, which the embedded one lacks. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../../scripts/services/free-port.js';
import { eventually } from './eventually.js';

const VERSIONS = '/usr/lib/postgresql';

export interface Cluster {
  /** Superuser, database `postgres`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** The newest version's folder of programs. */
export function debianPostgres(): string {
  const version = (existsSync(VERSIONS) ? readdirSync(VERSIONS) : [])
    .filter((name) => existsSync(join(VERSIONS, name, 'bin/initdb')) && existsSync(join(VERSIONS, name, 'bin/pg_dump')))
    .sort((one, other) => Number(other) - Number(one))[0];
  if (version === undefined) throw new Error('Debian’s package postgresql is not installed');
  return join(VERSIONS, version, 'bin');
}

export async function startCluster(password: string): Promise<Cluster> {
  const programs = debianPostgres();
  const directory = mkdtempSync(join(tmpdir(), 'porin-pg-'));
  const data = join(directory, 'data');
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const initdb = asOrdinaryUser([
    ...[join(programs, 'initdb'), '-D', data, '-U', 'postgres', '-A', 'scram-sha-256', '-E', 'UTF8', '--no-locale'],
    `--pwfile=${passwordFile}`,
  ]);
  execFileSync(initdb[0] ?? '', initdb.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
  const port = await freePort();
  const settings = ['fsync=off', 'max_connections=200', 'unix_socket_directories='];
  const server = asOrdinaryUser([
    ...[join(programs, 'postgres'), '-D', data, '-p', String(port), '-h', '127.0.0.1'],
    ...settings.flatMap((setting) => ['-c', setting]),
  ]);
  const child = spawn(server[0] ?? '', server.slice(1), { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  await eventually(() => answers(url));
  return {
    url,
    async stop() {
      child.kill('SIGINT');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Postgres refuses root: it sees itself as another user in a user namespace of its own. */
function asOrdinaryUser(command: readonly string[]): readonly string[] {
  return process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000', '--map-group=1000', ...command] : command;
}

async function answers(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}
