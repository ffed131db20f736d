/** The administrators' command line (apps/api/src/cli) on the database of an instance, or on the environment's. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { DIST_DIR } from '../setup/paths.js';
import { databaseUrls } from './database.js';
import { type Instance } from './instance.js';
import { password, secretsKeyFile, signingKeyFiles } from './secret.js';
import { readState } from './state.js';

const MAIN = join(DIST_DIR, 'apps/api/src/cli/main.js');

/** Undefined when no Postgres of this instance is known: it has not been started. */
export function cliVariables(instance: Instance): NodeJS.ProcessEnv | undefined {
  const { postgres, redis } = readState(instance).services;
  if (!postgres) return undefined;
  const { ownerUrl, apiUrl } = databaseUrls(instance, postgres.url);
  const keys = signingKeyFiles(instance);
  return {
    PORIN_DATABASE_URL: apiUrl,
    PORIN_OWNER_DATABASE_URL: ownerUrl,
    PORIN_SIGNING_KEY_FILE: keys.privateKeyFile,
    PORIN_APPROVAL_PUBLIC_KEY_FILE: keys.publicKeyFile,
    PORIN_SECRETS_KEY_FILE: secretsKeyFile(instance),
    PORIN_API_PASSWORD: password(instance, 'porin_api'),
    ...(redis && { PORIN_REDIS_URL: redis.url }),
  };
}

/** With this command's own input and output; returns the exit code. */
export function runCli(args: readonly string[], variables: NodeJS.ProcessEnv): number {
  return (
    spawnSync(process.execPath, cliArguments(args), { stdio: 'inherit', env: { ...process.env, ...variables } })
      .status ?? 1
  );
}

/** Returns what it printed; throws with what it complained about. */
export function askCli(args: readonly string[], variables: NodeJS.ProcessEnv): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, cliArguments(args), {
    encoding: 'utf8',
    env: { ...process.env, ...variables },
  });
  if (status !== 0) throw new Error(`porin-admin ${args.slice(0, 2).join(' ')} failed: ${stderr.trim()}`);
  return stdout.trim();
}

function cliArguments(args: readonly string[]): string[] {
  return ['--enable-source-maps', MAIN, ...args];
}
