/** A key for the API, of a submitter, so that the jobs run as anybody's would. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { DIST_DIR } from '../../scripts/setup/paths.js';

/** `name`: of the key and of its principal. */
export function createSubmitterKey(databaseUrl: string, name = 'bench'): string {
  const main = join(DIST_DIR, 'apps/api/src/cli/main.js');
  return execFileSync(process.execPath, [main, 'key', 'create', '--role', 'submitter', '--name', name, '--days', '1'], {
    encoding: 'utf8',
    env: { ...process.env, PORIN_DATABASE_URL: databaseUrl },
  }).trim();
}
