/** Runs pg_dump and pg_restore on the owner's database, with the password nowhere that others could read it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { UsageError } from './command.js';

/** Members of a connection URL's query, and the variables of libpq for them. */
const QUERY_VARIABLES: Readonly<Record<string, string>> = {
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
};

/** Rejects when the program fails; what it complains of is printed as it comes. */
export async function runPostgresProgram(
  program: 'pg_dump' | 'pg_restore',
  args: readonly string[],
  ownerUrl: string,
): Promise<void> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...connectionVariables(ownerUrl) },
  });
  const [code, signal] = (await once(child, 'exit').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new UsageError(
      `${program} is not installed here. Install postgresql-client of the server's version, or use the one beside the ` +
        'server: docs/operations.md, "Backup and restore".',
    );
  })) as [number | null, string | null];
  if (code !== 0) throw new Error(`${program} failed (${signal ?? `exit code ${code}`}); see above`);
}

/** libpq's environment for a `postgres:` URL; in arguments everybody on the machine could read the password. */
export function connectionVariables(ownerUrl: string): NodeJS.ProcessEnv {
  const url = new URL(ownerUrl);
  const decoded = (text: string) => decodeURIComponent(text);
  return {
    PGHOST: url.searchParams.get('host') ?? decoded(url.hostname).replace(/^\[|\]$/g, ''),
    PGPORT: url.port || '5432',
    PGUSER: decoded(url.username),
    PGPASSWORD: decoded(url.password),
    PGDATABASE: decoded(url.pathname.slice(1)) || decoded(url.username),
    ...Object.fromEntries(
      Object.entries(QUERY_VARIABLES).flatMap(([member, variable]) => {
        const value = url.searchParams.get(member);
        return value === null ? [] : [[variable, value]];
      }),
    ),
  };
}
