/** `npm run porin -- <command>`: the administrators' command line, on the environment's database or the stack's. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { databaseUrls } from '../services/database.js';
import { openInstance } from '../services/instance.js';
import { password } from '../services/secret.js';
import { readState } from '../services/state.js';
import { DIST_DIR } from '../setup/paths.js';

function stackVariables(): NodeJS.ProcessEnv {
  const instance = openInstance('stack');
  const { postgres } = readState(instance).services;
  if (!postgres) return {};
  const { ownerUrl, apiUrl } = databaseUrls(instance, postgres.url);
  return {
    PORIN_DATABASE_URL: apiUrl,
    PORIN_OWNER_DATABASE_URL: ownerUrl,
    PORIN_API_PASSWORD: password(instance, 'porin_api'),
    PORIN_WORKER_PASSWORD: password(instance, 'porin_worker'),
  };
}

const given = process.env.PORIN_DATABASE_URL ?? process.env.PORIN_OWNER_DATABASE_URL;
const variables = given ? {} : stackVariables();
if (!given && !variables.PORIN_DATABASE_URL) {
  console.error('porin: no stack has been started here (`npm start`), and PORIN_DATABASE_URL is not set');
}
const main = join(DIST_DIR, 'apps/api/src/cli/main.js');
const { status } = spawnSync(process.execPath, ['--enable-source-maps', main, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, ...variables },
});
process.exitCode = status ?? 1;
